"""The demo: a small bundled day, played through a real connector on this machine."""

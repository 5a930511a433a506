"""The web: requests become hooks, and are on disk before they are answered."""

"""The command ``connector``, also as ``python -m connector``."""

from connector.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()

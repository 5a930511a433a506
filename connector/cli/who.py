"""Who sits at this terminal, as acts and consents name them."""

from connector.actor import operator

__all__ = ["operator"]

"""Governance, proven from outside: an oracle of its own watches every text that leaves."""

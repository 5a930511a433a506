"""Configuration: every file the operator writes, read at once, every fault reported."""

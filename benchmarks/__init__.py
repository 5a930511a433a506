"""Measurements of the connector, printed by ``make bench``; see docs/benchmarks.md."""

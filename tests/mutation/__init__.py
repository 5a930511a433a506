"""Mutation of the shipped plays: each line that the engine reads is broken, an example must fail.

A mutant that no example tells from the file as it stands survives. Each survivor stands in
``survivors.toml`` with the reason; one that is not there, or survives no more, is an error.
"""

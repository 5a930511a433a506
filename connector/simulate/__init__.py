"""A place where the real steps run over a scratch ledger, on a clock of its own."""

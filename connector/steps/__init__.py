"""Steps: read facts, call a rule, write the answer, in one transaction."""

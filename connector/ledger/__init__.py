"""The ledger: every row the connector keeps, and the SQL that reads and writes it."""

"""The long proofs: the connector is killed, over and over, and must lose and repeat nothing."""

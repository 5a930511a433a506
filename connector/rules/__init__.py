"""Rules: pure functions over values and an instant."""

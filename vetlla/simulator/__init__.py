"""Simulated homes: the client side of the protocols, for drills, demonstrations and measurements."""

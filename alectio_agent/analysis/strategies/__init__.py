"""Strategies: pure functions that choose what to label next, and the registry of their names."""

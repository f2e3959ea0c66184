"""Metrics: pure functions over predictions and labels."""

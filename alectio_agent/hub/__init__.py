"""HALF TWO: a platform to host oneself, embedded by default. Meets the agent on the wire only."""

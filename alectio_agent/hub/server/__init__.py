"""The hub's process: lock, tokens from its parent, HTTP, workers, graceful stop. May import api."""

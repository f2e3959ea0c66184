"""The hub's tables, one writer thread with group commit, one reader. Imports core and wire."""

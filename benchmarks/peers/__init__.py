"""Peers that benchmarks compare with, each with the same trivial job in a worker of its own."""

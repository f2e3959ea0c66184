"""HTTP endpoints: let in, decode, call experiments, encode. May import access and experiments."""

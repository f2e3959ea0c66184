"""The agent as a process: threads, stopping, signals, the hub in the box. Imports all below."""

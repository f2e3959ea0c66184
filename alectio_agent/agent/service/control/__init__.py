"""Steering a running agent over a Unix socket in its state folder, by those who may.

One JSON line asks, one answers (`protocol`). `server` is the agent's side and `client` the command
line's; `pauses` also works while no agent runs.
"""

"""One job from claim to outbox: validation, steps, heartbeats, sender, recovery.

Every loop here is a step object: `step()` does one turn and returns the seconds to wait; it blocks
in the transport and in the hook only. Imports client, hooks, journal, config, wire and core.
"""

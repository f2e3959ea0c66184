"""What the agent must not forget: claims, results, messages, process groups, its identity.

Imports core and wire.
"""

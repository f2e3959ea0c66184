"""One small loop through the hooks without a hub, the contract checked; for `try`.

May import what its parent may. Nothing here touches the state of a running agent.
"""

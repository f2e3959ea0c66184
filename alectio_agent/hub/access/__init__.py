"""Who may call the hub: tokens, scopes, expiry, last use. May import experiments and store."""

"""The issuer: exchanges role keys for one-hour tokens, publishes keys and the status list, keeps the roles."""

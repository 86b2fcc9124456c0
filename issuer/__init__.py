"""The service: exchanges role keys for one-hour tokens, publishes keys and status list, keeps roles."""

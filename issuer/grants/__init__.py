"""How a token is asked for: one file a grant."""

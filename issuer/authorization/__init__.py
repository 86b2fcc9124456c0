"""How a user lets a client have a token: requests, consents, codes."""

"""Configuration of proxies that protect apps: a file each kind, with the secret that proves the proxy.

All of them drop what a client says of itself in the headers that the app believes, whichever version sets
what in their place; and they hand on what the issuer answers, empty values too.
"""

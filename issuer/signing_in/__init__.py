"""How people prove who they are: passwords, passkeys, links of one use, other providers."""

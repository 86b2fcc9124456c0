"""How people prove who they are: passwords, passkeys, set-up links; and the session that follows."""

"""Set-up links. A link is a secret: it is shown once, and found by its hash."""

from __future__ import annotations

from issuer.store import invitations
from issuer.store.database import Transaction
from issuer.store.tables import Principal
from keys import Handle, handle_hash

LIFETIME = 3 * 86400
MAX_LIFETIME = 30 * 86400
FIRST_LIFETIME = 600
"""Of the first user's: whoever made the issuer sits in front of it."""


def invite(tx: Transaction, user: Principal, hash_key: bytes, issuer_url: str, *, seconds: int) -> str:
    """A link that is good for so long, once; earlier ones of the user end."""
    secret = Handle.INVITATION.generate()
    invitations.create(tx, user, handle_hash(secret, hash_key), expires_at=tx.now + seconds)
    return f"{issuer_url}/setup?invitation={secret}"

"""What users let apps have: given once, remembered, withdrawn."""

from __future__ import annotations

from issuer.store import user_grants
from issuer.store.database import Transaction
from issuer.store.refusals import NotFound
from issuer.store.tables import Principal


def withdraw(tx: Transaction, user: Principal, client_id: str) -> None:
    """Ends the user's consent and every sign-in at the app, with all their tokens.

    Raises NotFound if there are none.
    """
    rows = user_grants.of_user(tx.session, user, client_id=client_id)
    if not rows:
        raise NotFound("there is no such app that acts for you")
    user_grants.end(tx, rows)
    tx.audit("consent:withdraw", user.name, client_id=client_id)

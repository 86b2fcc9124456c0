"""The start page: who is signed in, and how. What else there is of them has a room of its own."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session
from starlette.responses import Response

from issuer import plain_words
from issuer.console import listing, user_keys
from issuer.console.person import Person, room_row
from issuer.signing_in import passkeys as passkey_host
from issuer.store import passkeys, principals, upstream_identities, users
from issuer.store.tables import PasskeyRow, UpstreamIdentity
from issuer.store.users import User
from verifier import Permission


@dataclass(frozen=True, slots=True)
class Account:
    """Who somebody is, and how they sign in: one's own, which no operation of the API has."""

    user: User
    roles: list[str]
    permissions: list[str]
    """Its own, beside those of its roles, in plain words."""
    passkeys: list[PasskeyRow]
    identities: list[UpstreamIdentity]


async def of(person: Person) -> Account:
    """One's own."""

    def work(reading: Session) -> Account:
        user = users.get(reading, person.session.name)
        account = Account(
            user,
            [role.name.removeprefix(principals.ROLE_PREFIX) for role, _ in users.memberships(reading, user)],
            [
                plain_words.of_policy(Permission.parse(row.permission))
                for row in principals.policies_of(reading, user.principal)
            ],
            passkeys.of_user(reading, person.session.user_id),
            upstream_identities.of_user(reading, user.principal),
        )
        reading.expunge_all()
        return account

    return await person.service.read(work)


async def get_account(person: Person) -> Response:
    keys = await user_keys.of(person, person.session.name) or ()
    return person.page(
        "account.html",
        account=await of(person),
        keys=listing.newest_of([key for key in keys if not key.is_api_token], person, "keys"),
        has_passkeys=passkey_host.host(person.service.settings) is not None,
        providers=person.service.settings.upstream_providers,
    )


ROWS = (room_row("GET", "/", get_account),)

"""The signing keys: where each stands, and having the next one sign early. Never a private part."""

from __future__ import annotations

import time
from typing import Literal

from issuer import rfc3339
from issuer.api.operation import Answer, Body, Call, Operation
from issuer.denials import wrong_field
from issuer.rotation import UnknownRing
from issuer.store.database import Transaction
from issuer.store.signing_keys import TOKENS

_ANY = "*"


class Rotation(Body):
    ring: str = TOKENS
    """As the list shows it: `tokens`, or an algorithm of ID tokens."""


class SigningKey(Answer):
    kid: str
    algorithm: str
    ring: str
    phase: Literal["next", "current", "retiring", "gone"]
    published_at: rfc3339.Written
    signs_from: rfc3339.Written
    revoked_at: rfc3339.Written | None


class SigningKeys(Answer):
    items: list[SigningKey]
    """In the order in which they were made."""


class Handover(Answer):
    kid: str
    signs_from: rfc3339.Written
    """Not before every verifier has had time to learn it."""


async def list_all(call: Call) -> SigningKeys:
    call.caller.require("signing-key:get", _ANY)
    return SigningKeys(
        items=[
            SigningKey(
                kid=each.row.kid,
                algorithm=each.key.algorithm.name,
                ring=each.ring,
                phase=each.phase.value,
                published_at=rfc3339.write(each.row.published_at),
                signs_from=rfc3339.write(each.row.signs_from),
                revoked_at=rfc3339.write_optional(each.row.revoked_at),
            )
            for each in call.service.signing.standings(int(time.time()))
        ]
    )


async def rotate(call: Call) -> Handover:
    """The next key signs as early as verifiers' caches allow, never later than planned."""
    call.caller.require("signing-key:rotate", _ANY)

    def work(tx: Transaction) -> Handover:
        done = call.service.signing.hand_over_in(tx, call.body.ring)
        return Handover(kid=done.kid, signs_from=rfc3339.write(done.signs_from))

    try:
        return await call.change(work)
    except UnknownRing as error:
        raise wrong_field("ring", str(error)) from error


OPERATIONS = (
    Operation(
        method="GET",
        path="/v1/signing-keys",
        summary="List the signing keys",
        permission="signing-key:get@*",
        handler=list_all,
        answer=SigningKeys,
    ),
    Operation(
        method="POST",
        path="/v1/signing-keys/rotate",
        summary="Have the next key sign as early as verifiers' caches allow",
        permission="signing-key:rotate@*",
        handler=rotate,
        body=Rotation,
        answer=Handover,
    ),
)

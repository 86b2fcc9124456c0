"""API tokens: make, list, look at, renew, delete. A token is in the answer that made it and nowhere else."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Literal

from sqlmodel import Session

from issuer.api import token_form
from issuer.api.operation import Call, Operation
from issuer.api.query import Page, PageQuery, Query, Text, page_of
from issuer.api.role_keys import Renewal
from issuer.api.token_form import ApiTokenAnswer, ApiTokenWithSecret, DeletedApiToken, NewApiToken
from issuer.denials import Denial, wrong_field
from issuer.store import api_tokens, principals, role_keys
from issuer.store.api_tokens import ApiToken
from issuer.store.database import Transaction
from issuer.store.principals import ROLE_PREFIX
from issuer.store.refusals import NotFound
from issuer.store.users import USER_PREFIX
from keys import RoleKey as PresentedKey
from verifier import Scope


class Whose(Query):
    owner: Text | None = None
    """A principal, `user:NAME` or `role:NAME`; by default whoever asks."""


class ApiTokenQuery(Whose, PageQuery):
    state: Literal["active", "expired"] | None = None


async def create(call: Call) -> ApiTokenWithSecret:
    body, owner = call.body, _whose(call, call.body.owner, "create")
    settings = call.service.settings
    scope, expires_at = token_form.scope_of(settings, body), token_form.expires_at(settings, body)
    token_form.check_audiences(settings, body)
    call.caller.require_within(scope, "the API token")
    call.caller.require_services(body.audiences)
    presented, hash_key = PresentedKey.generate(), call.service.credentials.hash_key

    def work(tx: Transaction) -> ApiTokenWithSecret:
        principal = principals.get(tx.session, owner)
        made = api_tokens.create(
            tx,
            principal,
            presented,
            hash_key,
            name=body.name,
            scope=scope,
            purpose=body.purpose(),
            expires_at=expires_at,
        )
        return token_form.with_secret(made, presented, tx.now)

    return await call.change(work)


async def list_of_owner(call: Call) -> Page[ApiTokenAnswer]:
    query, owner, now = call.query, _whose(call, call.query.owner, "list"), int(time.time())

    def work(session: Session) -> Page[ApiTokenAnswer]:
        found = api_tokens.list_of(
            session,
            principals.get(session, owner),
            after=query.cursor,
            limit=query.limit + 1,
            expired=None if query.state is None else query.state == "expired",
            now=now,
        )
        return page_of([token_form.answer(each, now) for each in found], query.limit, lambda each: each.id)

    return await call.read(work)


async def get(call: Call) -> ApiTokenAnswer:
    return await call.read(lambda session: token_form.answer(known(call, session, "list"), int(time.time())))


async def renew(call: Call) -> ApiTokenWithSecret:
    """Another token with the same id, name and rights."""
    grace, hash_key = call.body.grace_seconds, call.service.credentials.hash_key

    def work(tx: Transaction) -> ApiTokenWithSecret:
        token = known(call, tx.session, "renew")
        if token.key.expires_at is not None and token.key.expires_at <= tx.now:
            raise Denial("conflict", f"{token.key.name} has expired: delete it, and make a new one")
        call.caller.require_within(Scope.parse(token.key.scope or ""), "the API token")
        call.caller.require_services(token_form.answer(token, tx.now).audiences)
        presented = PresentedKey.generate(token.key.access)
        role_keys.renew(tx, token.owner, presented, hash_key, grace=grace)
        return token_form.with_secret(token, presented, tx.now)

    return await call.change(work)


async def delete(call: Call) -> DeletedApiToken:
    """For good. Again it does nothing."""
    access = call.path("id")
    made: list[str] = []

    def work(tx: Transaction) -> list[str]:
        _refuse_role_key(call, tx.session)
        return role_keys.delete_key(tx, known(call, tx.session, "delete").owner, access)

    with suppress(NotFound):
        made = await call.change(work)
    return DeletedApiToken(deleted=access, made=made)


def _refuse_role_key(call: Call, session: Session) -> None:
    """Raises Denial for a role key that is no API token, with where it is deleted. Raises BearerDenial."""
    access = call.path("id")
    owner = role_keys.find_owner(session, access)
    if owner is None or api_tokens.among(session, [access]):
        return
    _whose(call, owner.name, "delete")
    kind, _, name = owner.name.partition(":")
    raise Denial(
        "not_found",
        f"{access} is a role key of {owner.name}, and no API token: DELETE /v1/{kind}s/{name}/keys/{access}",
    )


def _whose(call: Call, named: str | None, verb: str) -> str:
    """The owner, if it is the caller itself or the caller may do this to it. Raises BearerDenial, Denial."""
    owner = named or call.caller.principal
    if not owner.startswith((USER_PREFIX, ROLE_PREFIX)):
        raise wrong_field("owner", "is a principal: user:NAME or role:NAME")
    if not (owner.startswith(USER_PREFIX) and call.caller.is_oneself(owner)):
        call.caller.require(f"role-key:{verb}", owner.removeprefix(ROLE_PREFIX))
    return owner


def known(call: Call, session: Session, verb: str) -> ApiToken:
    """The API token in the path, if the caller may do this to it. Raises NotFound, BearerDenial."""
    token = api_tokens.get(session, call.path("id"))
    _whose(call, token.owner.name, verb)
    return token


_ALL = "/v1/tokens"
_ONE = _ALL + "/{id}"
OPERATIONS = (
    Operation(
        method="POST",
        path=_ALL,
        summary="Make an API token",
        permission="role-key:create@PRINCIPAL-NAME",
        handler=create,
        body=NewApiToken,
        answer=ApiTokenWithSecret,
        status=201,
        location="/v1/tokens/{id}",
        refusals=("not_permitted", "not_found", "conflict"),
    ),
    Operation(
        method="GET",
        path=_ALL,
        summary="List API tokens",
        permission="role-key:list@PRINCIPAL-NAME",
        handler=list_of_owner,
        query=ApiTokenQuery,
        answer=Page[ApiTokenAnswer],
        refusals=("not_found",),
    ),
    Operation(
        method="GET",
        path=_ONE,
        summary="Look at an API token",
        permission="role-key:list@PRINCIPAL-NAME",
        handler=get,
        answer=ApiTokenAnswer,
        refusals=("not_found",),
    ),
    Operation(
        method="POST",
        path=_ONE + "/renew",
        summary="Give an API token a new secret",
        permission="role-key:renew@PRINCIPAL-NAME",
        handler=renew,
        body=Renewal,
        answer=ApiTokenWithSecret,
        refusals=("not_permitted", "not_found", "conflict"),
    ),
    Operation(
        method="DELETE",
        path=_ONE,
        summary="Delete an API token",
        permission="role-key:delete@PRINCIPAL-NAME",
        handler=delete,
        answer=DeletedApiToken,
        refusals=("not_found",),
    ),
)

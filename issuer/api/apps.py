"""Apps: register, list, look at, change, delete. Whoever owns one needs no permission for it."""

from __future__ import annotations

from sqlmodel import Session

from issuer.api import app_rights, registered_apps
from issuer.api.operation import Call, Operation, Versioned
from issuer.api.query import Page, PageQuery, page_of
from issuer.api.registered_apps import App, DeletedApp, RegisteredApp
from issuer.api.registration import BY_SECRET, Changes, NewApp
from issuer.clients import APP_ID_PREFIX
from issuer.denials import BearerDenial, Denial, wrong_field
from issuer.store import apps, names, principals
from issuer.store.database import Transaction
from issuer.store.principals import ROLE_PREFIX
from issuer.store.tables import AppRow
from keys import Handle, handle_hash
from keys.secret import random_text
from verifier import InsufficientScope, labels
from verifier.labels import InvalidLabel

_CLIENT_ID_CHARACTERS = 16
_BATCH = 500


async def register(call: Call) -> Versioned:
    """A new app. Its secret, if it has one, is in this answer and nowhere else.

    Registered with a credential that reaches only some labels, it gets these labels.
    """
    try:
        name = names.check_app_name(call.body.name)
    except names.InvalidName as error:
        raise wrong_field("name", str(error)) from error
    app_rights.require_host(call, call.body.host)
    call.caller.require_services()
    client_id = APP_ID_PREFIX + random_text(_CLIENT_ID_CHARACTERS)
    try:
        submitted = labels.as_submitted(call.body.labels, resource_id=client_id, resource_type="app")
    except InvalidLabel as error:
        raise wrong_field("labels", str(error)) from error
    stamped = call.caller.scope.stamp("app:register", name, submitted)
    if stamped is None:
        raise BearerDenial(InsufficientScope(f"app:register@{name}"))
    _check_audience(call, call.body.audience)
    owner, role = app_rights.owner(call), call.body.role
    if role is not None:
        app_rights.require_role(call, role)
    secret, secret_hash = _secret(call, call.body)

    def work(tx: Transaction) -> Versioned:
        row = apps.create(
            tx,
            client_id,
            name,
            call.body.registration(secret_hash, stamped),
            owner=principals.get(tx.session, owner),
            role=None if role is None else principals.get(tx.session, ROLE_PREFIX + role),
        )
        _have_signed(call, tx, row)
        return registered_apps.registered(tx.session, row, secret)

    return await call.change(work)


async def list_all(call: Call) -> Page[App]:
    """Those that the caller may look at."""
    query = call.query

    def work(session: Session) -> Page[App]:
        asker = principals.find(session, call.caller.principal)
        owner = asker if call.caller.is_oneself(call.caller.principal) else None
        found: list[AppRow] = []
        cursor = query.cursor
        while len(found) <= query.limit:
            rows = apps.page(session, after=cursor, limit=_BATCH)
            found += [row for row in rows if app_rights.is_shown(call, row, owner)]
            if len(rows) < _BATCH:
                break
            cursor = rows[-1].name
        shown = [registered_apps.of(session, row) for row in found[: query.limit + 1]]
        return page_of(shown, query.limit, lambda app: app.name)

    return await call.read(work)


async def get(call: Call) -> Versioned:
    return await call.read(
        lambda session: registered_apps.versioned(session, app_rights.known(call, session, "app:get"))
    )


async def update(call: Call) -> Versioned:
    """Wanting something else ends every token that it has of users: they are asked about what is new."""
    call.path("app")
    _check_audience(call, call.body.audience)

    def work(tx: Transaction) -> Versioned:
        row = app_rights.known(call, tx.session, "app:update")
        call.preconditions.require(row.version)
        changed = app_rights.changed_labels(call, tx.session, row)
        together = registered_apps.together(registered_apps.of(tx.session, row), call.body)
        if (together.token_endpoint_auth_method == BY_SECRET) != (row.secret_hash is not None):
            raise Denial("conflict", "an app with and one without a secret are two: register another one")
        if registered_apps.is_elsewhere(row, together):
            call.caller.require_services()
            app_rights.require_its_role(call, tx.session, row)
        if together.host != row.host:
            app_rights.require_host(call, together.host)
        apps.change(tx, row, together.registration(row.secret_hash, changed))
        _have_signed(call, tx, row)
        return registered_apps.versioned(tx.session, row)

    return await call.change(work)


async def renew_secret(call: Call) -> Versioned:
    """The one before is no good any more."""
    secret = Handle.CLIENT_SECRET.generate()
    call.caller.require_services()

    def work(tx: Transaction) -> Versioned:
        row = app_rights.known(call, tx.session, "app:update")
        call.preconditions.require(row.version)
        if row.secret_hash is None:
            raise Denial("conflict", "this app has no secret: it is registered without one")
        app_rights.require_its_role(call, tx.session, row)
        apps.set_secret(tx, row, handle_hash(secret, call.service.credentials.hash_key.key))
        return registered_apps.registered(tx.session, row, secret)

    return await call.change(work)


async def delete(call: Call) -> DeletedApp:
    """For good, with everything that users let it have. Again it does nothing."""
    name = call.path("app")

    def work(tx: Transaction) -> DeletedApp:
        row = apps.find(tx.session, name)
        if row is None:
            call.caller.require("app:delete", name)
            call.preconditions.require(None)
        else:
            row = app_rights.known(call, tx.session, "app:delete")
            call.preconditions.require(row.version)
            apps.delete_app(tx, row)
        return DeletedApp(deleted=name)

    return await call.change(work)


def _have_signed(call: Call, tx: Transaction, row: AppRow) -> None:
    """Its ID tokens can be signed as it wants from now on."""
    if row.id_token_algorithm is not None:
        tx.session.flush()
        call.service.signing.complete(tx)


def _check_audience(call: Call, audience: str | None) -> None:
    """Raises Denial."""
    known = call.service.settings.accepted_audiences
    if audience not in (None, *known):
        raise wrong_field("audience", f"is none of the services that are known here: {', '.join(known)}")


def _secret(call: Call, body: NewApp) -> tuple[str | None, bytes | None]:
    if body.token_endpoint_auth_method != BY_SECRET:
        return None, None
    secret = Handle.CLIENT_SECRET.generate()
    return secret, handle_hash(secret, call.service.credentials.hash_key.key)


_ALL, _ONE = "/v1/apps", "/v1/apps/{app}"
OPERATIONS = (
    Operation(
        method="POST",
        path=_ALL,
        summary="Register an app",
        permission="app:register@APP",
        handler=register,
        body=NewApp,
        answer=RegisteredApp,
        status=201,
        location="/v1/apps/{name}",
        has_etag=True,
        refusals=("conflict", "not_found", "not_permitted"),
    ),
    Operation(
        method="GET",
        path=_ALL,
        summary="List apps",
        permission="app:get@APP",
        handler=list_all,
        query=PageQuery,
        answer=Page[App],
    ),
    Operation(
        method="GET",
        path=_ONE,
        summary="Look at an app",
        permission="app:get@APP",
        handler=get,
        answer=App,
        has_etag=True,
        is_conditional=True,
        refusals=("not_found",),
    ),
    Operation(
        method="PATCH",
        path=_ONE,
        summary="Change what is registered of an app",
        permission="app:update@APP",
        handler=update,
        body=Changes,
        answer=App,
        has_etag=True,
        is_conditional=True,
        refusals=("not_found", "conflict", "not_permitted"),
    ),
    Operation(
        method="POST",
        path=f"{_ONE}/secret",
        summary="Give an app a new secret",
        permission="app:update@APP",
        handler=renew_secret,
        answer=RegisteredApp,
        has_etag=True,
        is_conditional=True,
        refusals=("not_found", "conflict", "not_permitted"),
    ),
    Operation(
        method="DELETE",
        path=_ONE,
        summary="Delete an app, with everything that users let it have",
        permission="app:delete@APP",
        handler=delete,
        answer=DeletedApp,
        is_conditional=True,
    ),
)

"""Who may do what with an app: its owner, who needs no permission for it, and whoever has one."""

from __future__ import annotations

from collections.abc import Mapping

from sqlmodel import Session

from issuer.api.operation import Call
from issuer.denials import BearerDenial, wrong_field
from issuer.store import apps
from issuer.store.principals import ROLE_PREFIX
from issuer.store.tables import AppRow, Principal
from issuer.store.users import USER_PREFIX
from verifier import InsufficientScope, labels
from verifier.labels import InvalidLabel


def known(call: Call, session: Session, action: str) -> AppRow:
    """The app, for its owner or whoever has the permission. Raises BearerDenial, NotFound."""
    name = call.path("app")
    row = apps.find(session, name)
    if row is None or not _is_own(call, session, row):
        call.caller.require(action, name, {} if row is None else apps.labels_of(row))
    return apps.get(session, name)


def is_shown(call: Call, row: AppRow, owner: Principal | None) -> bool:
    """owner: whoever asks, if what is theirs is shown to them."""
    is_own = owner is not None and row.owner_id == owner.id
    return is_own or call.caller.scope.covers("app:get", row.name, apps.labels_of(row))


def owner(call: Call) -> str:
    """Whose it will be: nobody gets one who would not have it. Raises BearerDenial."""
    owner: str = call.body.owner or call.caller.principal
    if owner != call.caller.principal:
        if owner.startswith(USER_PREFIX):
            call.caller.require("user:update", owner.removeprefix(USER_PREFIX))
        else:
            call.caller.require("role:assume", owner.removeprefix(ROLE_PREFIX))
    return owner


def require_host(call: Call, host: str | None) -> None:
    """Whoever has a host says who is let in there: not just anybody takes one. Raises BearerDenial."""
    if host is not None:
        call.caller.require("app:host", host)


def require_its_role(call: Call, session: Session, row: AppRow) -> None:
    """Raises BearerDenial."""
    if row.role_id is not None:
        require_role(call, session.get_one(Principal, row.role_id).name.removeprefix(ROLE_PREFIX))


def require_role(call: Call, role: str) -> None:
    """Whoever can be an app can be its role, by a secret of long life: who may assume the role to start jobs
    that end, as an API token may, is not let to that. Raises BearerDenial.
    """
    call.caller.require("role:assume", role)
    if call.caller.is_narrowed:
        call.caller.require("role-key:create", role)


def changed_labels(call: Call, session: Session, row: AppRow) -> dict[str, str]:
    """Within the caller's reach before and after, the owner's too. Raises Denial, BearerDenial.

    Labels say whose credentials open an app, and one that was registered within some labels stays there.
    """
    before = apps.labels_of(row)
    if "labels" not in call.body.model_fields_set:
        return before
    try:
        after = labels.changed(call.body.labels, before)
    except InvalidLabel as error:
        raise wrong_field("labels", str(error)) from error
    if after != before:
        actions = ("app:update", "app:register") if _is_own(call, session, row) else ("app:update",)
        _require_reach(call, actions, row.name, before)
        _require_reach(call, actions, row.name, after)
    return after


def _require_reach(call: Call, actions: tuple[str, ...], name: str, having: Mapping[str, str]) -> None:
    """That the caller may do one of these. Raises BearerDenial."""
    if not any(call.caller.scope.covers(action, name, having) for action in actions):
        raise BearerDenial(InsufficientScope(f"{actions[0]}@{name}"))


def _is_own(call: Call, session: Session, row: AppRow) -> bool:
    return call.caller.is_oneself(session.get_one(Principal, row.owner_id).name)

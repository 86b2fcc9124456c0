"""What tokens are issued from: the roles that it carries, looked for once, and never those of another."""

from __future__ import annotations

from dataclasses import replace

from issuer.authentication.callers import Caller
from issuer.mint import Grant
from verifier import Scope

READ, WRITE = Scope.parse("data:get@*"), Scope.parse("data:put@*")
BOTH = Scope.parse("data:get@* data:put@*")


def grant(rights: Scope) -> Grant:
    roles = {"reader": READ, "writer": WRITE, "both": BOTH, "empty": Scope()}
    return Grant("user:ada", "hmk_x", rights, roles, status_index=1, ends_at=None)


def test_it_carries_the_roles_that_it_has_the_whole_of() -> None:
    assert grant(BOTH).carried == ("reader", "writer", "both")
    assert grant(READ).carried == ("reader",)
    assert grant(Scope()).carried == ()


def test_they_are_looked_for_once() -> None:
    """Whoever asks again and again by the same role key is told from memory."""
    known = grant(BOTH)
    assert Caller.by_secret(known).roles is Caller.by_secret(known).roles is known.carried


def test_of_other_rights_they_are_looked_for_anew() -> None:
    wide = grant(BOTH)
    assert wide.carried == ("reader", "writer", "both")
    assert replace(wide, rights=READ).carried == ("reader",)

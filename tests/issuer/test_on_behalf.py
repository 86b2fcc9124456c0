"""What an app gets lies within the user's rights, its own wishes, the consent, and the request."""

from __future__ import annotations

import pytest
from hypothesis import given

from issuer.clients import OPENID
from issuer.on_behalf import shared
from tests.verifier.small_world import allowed, scopes
from verifier import Scope


@given(scopes, scopes, scopes, scopes)
def test_it_is_within_every_one_of_its_inputs(
    held: Scope, wanted: Scope, consented: Scope, asked: Scope
) -> None:
    result = asked & shared(held, wanted, consented)
    for limit in (wanted, consented, asked):
        assert result <= limit
    # Words are no rights, so that no user holds them.
    assert Scope(result.permissions) <= held


@given(scopes, scopes, scopes)
def test_it_is_all_that_they_share_unless_it_opens_nothing(
    held: Scope, wanted: Scope, consented: Scope
) -> None:
    result = shared(held, wanted, consented)
    assert allowed(result) == allowed(held) & allowed(wanted) & allowed(consented)
    words = {*wanted.words} & {*consented.words}
    assert {*result.words} == (words if result.permissions or OPENID in words else set())


@pytest.mark.parametrize(
    ("held", "wanted", "consented", "result"),
    [
        ("data:get@*", "data:get@a openid", "data:get@a openid profile", "data:get@a openid"),
        ("data:get@*", "data:put@* openid", "data:put@* openid", "openid"),
        ("data:get@*", "data:put@* offline_access", "data:put@* offline_access", ""),
        ("data:get@a*", "data:*@*", "data:get@ab data:put@ab", "data:get@ab"),
        ("*", "* openid", "data:get@[x=1]", "data:get@*[x=1]"),
        ("", "*", "*", ""),
        ("*", "*", "", ""),
        ("openid data:get@*", "data:get@*", "data:get@* openid", "data:get@*"),
    ],
)
def test_examples(held: str, wanted: str, consented: str, result: str) -> None:
    assert str(shared(Scope.parse(held), Scope.parse(wanted), Scope.parse(consented))) == result

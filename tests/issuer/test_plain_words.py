"""What people read of permissions."""

from __future__ import annotations

import pytest

from issuer import plain_words
from issuer.clients import PROTOCOL_WORDS
from verifier import Permission


@pytest.mark.parametrize(
    ("permission", "said"),
    [
        ("*", "do everything that you may do"),
        ("data:get@urn:hourmark:data:x", "get data urn:hourmark:data:x"),
        ("data:get@urn:hourmark:*", "get data whose name begins with urn:hourmark:"),
        ("data:get@*", "get every data"),
        ("role-key:create@org.a", "create role key org.a"),
        ("data:*@x", "do anything with data x"),
        ("*:get@*", "get anything"),
        ("data:get@*[group=A]", "get every data with the label group=A"),
        ("data:get@x[a=1,b=2]", "get data x with the labels a=1, b=2"),
    ],
)
def test_a_permission(permission: str, said: str) -> None:
    assert plain_words.of_permission(Permission.parse(permission)) == said


def test_the_words_of_the_protocol_have_words_of_their_own() -> None:
    said = {word: plain_words.of_word(word, 30 * 86400) for word in PROTOCOL_WORDS}
    assert len(set(said.values()) - set(said)) == len(PROTOCOL_WORDS)
    assert said["offline_access"] == "do this while you are away too, for 30 days"


@pytest.mark.parametrize(("seconds", "days"), [(60, 1), (86400, 1), (7 * 86400, 7)])
def test_how_long_an_app_goes_on(seconds: int, days: int) -> None:
    assert plain_words.of_word("offline_access", seconds).endswith(f"for {days} days")

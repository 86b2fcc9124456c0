"""`hourmark user …`: what reaches the issuer and what is shown."""

from __future__ import annotations

import pytest

from tests.holder.conftest import Hourmark
from tests.holder.issuer_double import IssuerDouble

ROLES = ["org.account.reader", "org.account.writer", "org.account.third"]
pytestmark = pytest.mark.usefixtures("admin")


def test_from_the_first_day_to_the_last(hourmark: Hourmark, issuer: IssuerDouble) -> None:
    made = hourmark("user", "new", "ada", "--display-name", "Ada Lovelace", "--email", "ada@people.example")
    assert (made.code, made.err) == (0, "")
    assert issuer.requests[-1].json == {
        "name": "ada",
        "display_name": "Ada Lovelace",
        "email": "ada@people.example",
    }
    for role in ROLES:
        assert hourmark("user", "role", "new", "ada", role).code == 0
        assert issuer.requests[-1].json == {"role": role}
    assert hourmark("user", "role", "list", "ada", "--field", "role").out.split() == ROLES
    assert hourmark("user", "get", "ada", "-o", "json").json["roles"] == ROLES
    taken = hourmark("user", "role", "delete", "ada", ROLES[1], "-o", "json")
    assert taken.json == {"user": "ada", "taken": ROLES[1]}
    assert issuer.users.by_name["ada"]["roles"] == [ROLES[0], ROLES[2]]
    assert hourmark("user", "disable", "ada", "--field", "state").out == "disabled\n"
    assert hourmark("user", "enable", "ada", "--field", "state").out == "active\n"
    gone = hourmark("user", "delete", "ada", "-o", "json").json
    assert gone == {"deleted": "ada", "keys": ["hmk_OfTheUser0000000"]}
    assert issuer.users.by_name == {}


def test_an_invitation_is_a_link(hourmark: Hourmark, issuer: IssuerDouble) -> None:
    issuer.users.add("ada")
    link = hourmark("user", "invite", "ada", "--field", "url")
    assert (link.code, link.out) == (0, "https://issuer.example/setup?invitation=hmi_test\n")
    assert issuer.requests[-1].json == {}
    assert hourmark("user", "invite", "ada", "--expires", "24h").code == 0
    assert issuer.requests[-1].json == {"expires_in": 86400}
    assert hourmark("user", "invite", "ada", "--expires", "soon").code == 2


def test_what_was_not_given_is_not_sent(hourmark: Hourmark, issuer: IssuerDouble) -> None:
    assert hourmark("user", "new", "ada").code == 0
    assert issuer.requests[-1].json == {"name": "ada"}


def test_the_list_is_narrowed_by_the_issuer_on_every_page(hourmark: Hourmark, issuer: IssuerDouble) -> None:
    for name in ("ada", "ada.king", "adam", "grace"):
        issuer.users.add(name)
    issuer.users.add("ada.gone", state="disabled")

    def listed(*options: str) -> list[str]:
        return hourmark("user", "list", "--field", "name", *options).out.split()

    assert listed() == ["ada", "ada.king", "adam", "grace", "ada.gone"]
    assert listed("ada") == ["ada", "ada.king", "adam", "ada.gone"]
    assert listed("--state", "disabled") == ["ada.gone"]
    assert listed("ada", "--state", "active") == ["ada", "ada.king", "adam"]
    assert [request.query["prefix"] for request in issuer.requests[-2:]] == [["ada"]] * 2
    assert hourmark("user", "list", "--state", "gone").code == 2


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("get", "nobody"), "hourmark user list"),
        (("disable", "nobody"), "hourmark user list"),
        (("role", "list", "nobody"), "hourmark user list"),
        (("role", "delete", "nobody", ROLES[0]), "hourmark user list"),
        (("role", "new", "nobody", ROLES[0]), "hourmark user list, hourmark role list"),
    ],
)
def test_who_is_not_there(hourmark: Hourmark, arguments: tuple[str, ...], hint: str) -> None:
    done = hourmark("user", *arguments, "-o", "json")
    assert (done.code, done.out) == (1, "")
    assert (done.error["code"], done.error["hint"]) == ("not_found", f"check the name: {hint}")


def test_a_taken_name_is_an_error_with_the_issuers_words(hourmark: Hourmark, issuer: IssuerDouble) -> None:
    issuer.users.add("ada", display_name="Ada Lovelace")
    done = hourmark("user", "new", "ada", "-o", "json")
    assert (done.code, done.error["code"]) == (1, "conflict")
    assert done.error["error"] == "That cannot be: user:ada exists already"
    assert issuer.users.by_name["ada"]["display_name"] == "Ada Lovelace"


def test_a_name_is_quoted_and_never_climbs(hourmark: Hourmark, issuer: IssuerDouble) -> None:
    assert hourmark("user", "get", "a/b c").code == 1
    assert issuer.requests[-1].path == "/v1/users/a%2Fb%20c"
    before = len(issuer.requests)
    climbing = [("delete", ".."), ("disable", "."), ("get", ""), ("role", "delete", "ada", "..")]
    assert [hourmark("user", *arguments).code for arguments in climbing] == [2, 2, 2, 2]
    assert len(issuer.requests) == before

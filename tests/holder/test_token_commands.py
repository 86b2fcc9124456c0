"""`hourmark token …`: what reaches the issuer and what the user sees."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import yaml

from keys import RoleKey
from tests.holder.conftest import Hourmark
from tests.holder.issuer_double import IssuerDouble

ID = RoleKey.generate().access


@pytest.fixture
def known(issuer: IssuerDouble, admin: str) -> str:
    """The id of an API token that is there."""
    assert admin
    issuer.api_tokens.add(ID, "basetoken", presets=["operator"], label_selectors=["model=base"])
    return ID


def test_it_is_made_and_shown_as_yaml(hourmark: Hourmark, issuer: IssuerDouble, admin: str) -> None:
    assert admin
    line = "token create basetoken --label-selector model=base --role operator"
    made = hourmark(*line.split())
    assert made.code == 0, made.err
    said = {"name": "basetoken", "presets": ["operator"], "label_selectors": ["model=base"]}
    assert issuer.requests[-1].json == said
    shown = yaml.safe_load(made.out)
    assert list(shown)[:4] == ["id", "name", "role", "selector"]
    assert (shown["role"], shown["selector"]) == ("operator", "model=base")
    secret = RoleKey.parse(shown["token"]).secret
    assert (secret in made.err, "shown this once" in made.err) == (False, True)
    assert hourmark(*line.split(), "-o", "json").json.keys() == shown.keys()


def test_everything_that_can_be_said_of_one(hourmark: Hourmark, issuer: IssuerDouble, admin: str) -> None:
    assert admin
    line = (
        "token create nightly --role read --role operator -l model=base -l team=nlp,tier=2 --resource my-app "
        "--resource samples/* --audience https://a.example --audience https://b.example --expires 36h "
        "--job-role org.account.train --job-role org.account.eval.* --description CI "
        "--owner role:org.account.ci"
    )
    assert hourmark(*line.split()).code == 0
    sent = issuer.requests[-1].json
    ends = datetime.fromisoformat(sent.pop("expires_at"))
    assert abs(ends - datetime.now(UTC) - timedelta(hours=36)) < timedelta(minutes=1)
    assert sent == {
        "name": "nightly",
        "presets": ["read", "operator"],
        "label_selectors": ["model=base,team=nlp,tier=2"],
        "resources": ["my-app", "samples/*"],
        "job_roles": ["org.account.train", "org.account.eval.*"],
        "audiences": ["https://a.example", "https://b.example"],
        "description": "CI",
        "owner": "role:org.account.ci",
    }


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ("-l a=1 -l b=2", ["a=1,b=2"]),
        ("-l a=1,b=2", ["a=1,b=2"]),
        ("--any-of a=1 --any-of a=2,b=1", ["a=1", "a=2,b=1"]),
        ("-l c=3 --any-of a=1 --any-of a=2", ["c=3,a=1", "c=3,a=2"]),
    ],
)
def test_all_of_the_labels_or_one_of_the_selectors(
    hourmark: Hourmark, issuer: IssuerDouble, admin: str, options: str, sent: list[str]
) -> None:
    assert admin
    done = hourmark(
        *f"token create nightly --role read {options}".split(),
        "--format-template",
        "{{.selector}} {{.token}}",
    )
    assert (done.code, issuer.requests[-1].json["label_selectors"]) == (0, sent), done.err
    assert done.out.rpartition(" ")[0] == " or ".join(sent)


@pytest.mark.parametrize(
    ("expires", "sent"),
    [
        ("never", {"never_expires": True}),
        ("2036-01-01", {"expires_at": "2036-01-01T00:00:00Z"}),
        ("2036-01-01T12:00:00+02:00", {"expires_at": "2036-01-01T10:00:00Z"}),
    ],
)
def test_when_it_ends(
    hourmark: Hourmark, issuer: IssuerDouble, admin: str, expires: str, sent: dict[str, object]
) -> None:
    assert admin
    assert hourmark("token", "create", "nightly", "--role", "read", "--expires", expires).code == 0
    assert issuer.requests[-1].json == {"name": "nightly", "presets": ["read"], **sent}


def test_without_a_preset_those_that_there_are_are_named(
    hourmark: Hourmark, issuer: IssuerDouble, admin: str
) -> None:
    assert admin
    done = hourmark("token", "create", "nightly")
    assert (done.code, done.out, issuer.api_tokens.by_id) == (2, "", {})
    assert done.err == (
        "Error: No --role says what the token is for\n  why: there are read\n"
        "  try: hourmark token presets shows what they mean\n"
    )


def test_presets_need_no_credential(hourmark: Hourmark, issuer: IssuerDouble) -> None:
    done = hourmark("token", "presets", "--url", issuer.url)
    assert done.out.splitlines()[1].startswith("read  Read   query what jobs and apps serve")
    assert "Authorization" not in issuer.requests[-1].headers


def test_the_list_has_what_matters_and_no_secret(
    hourmark: Hourmark, issuer: IssuerDouble, known: str
) -> None:
    heading, row = hourmark("token", "list").out.splitlines()
    assert heading.split("  ")[0] == "ID"
    for title in ("NAME", "ROLE", "SELECTOR", "PREFIX", "CREATED BY", "LAST EXCHANGED AT", "STATE"):
        assert title in heading
    assert "SCOPE" not in heading
    template = ("--format", "text", "--format-template", "{{.Role}} {{.Selector}}")
    assert hourmark("token", "list", *template).out == "operator model=base\n"
    for value in (known, "basetoken", "operator", "model=base", "user:admin", "2027-02-01T00:00:00Z"):
        assert value in row
    issuer.api_tokens.add("hmk_ended", "ended", state="expired")
    line = ("token", "list", "--field", "id")
    assert hourmark(*line).out.split() == [known, "hmk_ended"]
    assert hourmark(*line, "--state", "expired", "--owner", "role:r").out == "hmk_ended\n"
    assert issuer.requests[-1].query == {"limit": ["100"], "owner": ["role:r"], "state": ["expired"]}


def test_renewed_at_once_or_later(hourmark: Hourmark, issuer: IssuerDouble, known: str) -> None:
    now = hourmark("token", "renew", known)
    assert yaml.safe_load(now.out)["token"].startswith(f"{known}:")
    assert ("shown this once" in now.err, "The old secret ended" in now.err) == (True, True)
    assert issuer.requests[-1].json == {}
    assert "another 24h" in hourmark("token", "renew", known, "--grace", "24h").err
    assert issuer.requests[-1].json == {"grace_seconds": 86400}


def test_deleted_twice(hourmark: Hourmark, known: str) -> None:
    first, second = hourmark("token", "delete", known), hourmark("token", "delete", known)
    assert yaml.safe_load(first.out) == {"deleted": known, "made": ["hmk_AnotherOne000000"]}
    assert ("live on" in first.err, second.code, second.err) == (True, 0, "")
    gone = hourmark("token", "get", known)
    assert (gone.code, "hourmark token list" in gone.err) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "nightly", "--role", "read", "--expires", "2020-01-01"),
        ("create", "nightly", "--role", "read", "--expires", "soon"),
        ("create", "nightly", "--role", "read", "-l", ""),
        ("create", "nightly", "--role", "read", "-l", "model"),
        ("create", "nightly", "--role", "read", "--any-of", "a=1"),
        ("create", "nightly", "--role", "read", "--any-of", "a=1", "--any-of", ""),
        ("create", "nightly", "--role", "read", "--field", "presets"),
        ("create", "nightly", "--role", "read", "-l", "a=1", "-l", ""),
        ("create", "nightly", "--role", "read", "-l", "a=1],data:*@*[b=2"),
        ("create", "nightly", "--role", "read", "--field", "secret"),
        ("renew", ID, "--grace", "a day"),
        ("renew", "basetoken"),
        ("get", "basetoken"),
        ("delete", "basetoken"),
    ],
)
def test_what_cannot_be_meant_is_found_before_the_issuer_is_asked(
    hourmark: Hourmark, issuer: IssuerDouble, known: str, arguments: tuple[str, ...]
) -> None:
    before = len(issuer.requests)
    done = hourmark("token", *arguments)
    assert (done.code, done.out, len(issuer.requests)) == (2, "", before)
    assert known in issuer.api_tokens.by_id


def test_a_whole_token_in_place_of_its_id_goes_nowhere(
    hourmark: Hourmark, issuer: IssuerDouble, admin: str
) -> None:
    whole = RoleKey.generate()
    for verb in ("get", "renew", "delete"):
        done = hourmark("token", verb, whole.reveal())
        assert (done.code, whole.secret in done.err, "before the colon" in done.err) == (2, False, True)
    assert (admin in issuer.keys, issuer.requests) == (False, [])


@pytest.mark.parametrize("line", ["create nightly --role read", "renew ACCESS"])
@pytest.mark.parametrize("wanted", [["--field", "id"], ["--format-template", "{{.Id}} {{.Name}}"]])
def test_no_secret_is_made_that_nobody_would_see(
    hourmark: Hourmark, issuer: IssuerDouble, admin: str, line: str, wanted: list[str]
) -> None:
    access = RoleKey.generate().access
    issuer.api_tokens.add(access, "basetoken")
    before = len(issuer.requests)
    done = hourmark("token", *line.replace("ACCESS", access).split(), *wanted)
    assert (done.code, done.out, len(issuer.requests)) == (2, "", before), admin
    assert "The token is shown this once" in done.err
    assert "--field token" in done.err

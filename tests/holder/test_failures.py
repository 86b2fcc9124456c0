"""When the issuer refuses, fails or is somebody else: exit code, three parts, no traceback, no secret."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from tests.holder.conftest import Hourmark
from tests.holder.issuer_double import IssuerDouble

PROBLEM = {
    "type": "about:blank",
    "title": "Not allowed",
    "detail": "it needs role:get@x",
    "code": "c",
    "request_id": "r",
}


def as_json(body: object) -> bytes:
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    ("answer", "exit_code", "code", "words"),
    [
        ((401, {}, as_json(PROBLEM)), 4, "c", "it needs role:get@x"),
        ((403, {}, as_json(PROBLEM)), 5, "c", "it needs role:get@x"),
        ((404, {}, as_json(PROBLEM)), 1, "c", "it needs role:get@x"),
        ((422, {}, as_json({"detail": "name: too long"})), 1, "http_422", "name: too long"),
        ((429, {"Retry-After": "7"}, as_json(PROBLEM)), 1, "c", "try again in 7 seconds"),
        ((500, {}, b"<html>"), 7, "http_500", "cannot serve at the moment (500)"),
        ((503, {"Retry-After": "2"}, as_json(PROBLEM)), 7, "c", "try again in 2 seconds"),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), 7, "not_an_issuer", "answered 302"),
        ((404, {}, b"<html>"), 7, "not_an_issuer", "answered 404"),
        ((200, {}, b"<html>"), 7, "not_an_issuer", "not JSON"),
        ((200, {}, b"\xff"), 7, "not_an_issuer", "not JSON"),
        ((200, {}, b"[]"), 7, "not_an_issuer", "not a JSON object"),
        ((200, {}, as_json({"principal": "role:x"})), 7, "not_an_issuer", "roles is missing"),
        ((200, {}, as_json({"principal": 1})), 7, "not_an_issuer", "principal is not of its kind"),
    ],
)
def test_answers_that_are_no_success(
    hourmark: Hourmark,
    issuer: IssuerDouble,
    admin: str,
    *,
    answer: tuple[int, dict[str, str], bytes],
    exit_code: int,
    code: str,
    words: str,
) -> None:
    issuer.instead["GET /v1/me"] = answer
    done = hourmark("whoami")
    assert (done.code, done.out) == (exit_code, "")
    assert words in done.err
    assert done.err.startswith("Error: ")
    in_json = hourmark("whoami", "-o", "json")
    assert (in_json.code, in_json.error["code"]) == (exit_code, code)
    assert set(in_json.error) == {"error", "code", "hint", "request_id"}
    assert admin.partition(":")[2] not in done.err + in_json.err


@pytest.mark.parametrize(
    ("command", "request_line", "status", "hint"),
    [
        ("role get R", "GET /v1/roles/R", 404, "check the name: hourmark role list"),
        ("role key list R", "GET /v1/roles/R/keys", 404, "check the name: hourmark role list"),
        ("role key delete R A", "DELETE /v1/roles/R/keys/A", 404, "check the name: hourmark role key list R"),
        ("role new R", "POST /v1/roles", 409, "look at what is there: hourmark role list"),
        (
            "role key new R$",
            "POST /v1/roles/R%24/keys",
            409,
            "look at what is there: hourmark role key list 'R$'",
        ),
        (
            "role policy new R data:get@a",
            "POST /v1/roles/R/policies",
            409,
            "look at what is there: hourmark role policy list R",
        ),
        ("job new --role R", "POST /v1/jobs", 404, "check the name: hourmark role list"),
        ("job get J", "GET /v1/jobs/J", 404, "check the name: hourmark job list"),
        ("user new U", "POST /v1/users", 409, "look at what is there: hourmark user list"),
        (
            "user role new U R",
            "POST /v1/users/U/roles",
            409,
            "look at what is there: hourmark user role list U",
        ),
        ("role key new R", "POST /v1/roles/R/keys", 422, "hourmark role key new --help"),
        ("login token", "POST /v1/token", 400, "hourmark login token --help"),
    ],
)
def test_what_helps_where_the_issuer_refuses(
    hourmark: Hourmark,
    issuer: IssuerDouble,
    admin: str,
    *,
    command: str,
    request_line: str,
    status: int,
    hint: str,
) -> None:
    assert admin
    issuer.instead[request_line] = (status, {}, as_json(PROBLEM))
    done = hourmark(*command.split(), "-o", "json")
    assert (done.code, done.error["code"], done.error["hint"]) == (1, "c", hint)


def test_a_field_is_named_as_the_user_gave_it(hourmark: Hourmark, issuer: IssuerDouble, admin: str) -> None:
    assert admin
    detail = "grace_seconds: at most 9; expires_at: is in the past; name: too long"
    issuer.instead["POST /v1/roles/R/keys"] = (422, {}, as_json(PROBLEM | {"detail": detail}))
    why = hourmark("role", "key", "new", "R").err.partition("  why: ")[2].splitlines()[0]
    assert why == "--grace in seconds: at most 9; --expires: is in the past; name: too long"


def test_the_source_of_a_refused_credential_is_named(
    hourmark: Hourmark, issuer: IssuerDouble, admin: str
) -> None:
    issuer.keys.clear()
    assert "the credential from HOURMARK_TOKEN" in hourmark("whoami").err
    assert "the credential from --app-token" in hourmark("whoami", "--app-token", admin).err
    assert "the credential from HOURMARK_TOKEN" in hourmark("login", "token").err


def test_a_token_for_another_service_is_told_how_to_be_for_the_issuer(
    hourmark: Hourmark, issuer: IssuerDouble
) -> None:
    token = issuer.mint("org.account.a", "*")
    issuer.tokens.clear()
    done = hourmark("role", "list", HOURMARK_URL=issuer.url, HOURMARK_TOKEN=token)
    assert (done.code, f"hourmark login token --resource {issuer.url}" in done.err) == (4, True)


@pytest.mark.parametrize(
    "listing", [{"next_cursor": None}, {"items": {}}, {"items": [1]}, {"items": [], "next_cursor": 1}]
)
def test_a_list_that_is_none(hourmark: Hourmark, issuer: IssuerDouble, admin: str, listing: object) -> None:
    assert admin
    issuer.instead["GET /v1/roles"] = (200, {}, as_json(listing))
    assert hourmark("role", "list").code == 7


def test_a_cursor_that_leads_to_itself_ends(hourmark: Hourmark, issuer: IssuerDouble, admin: str) -> None:
    assert admin
    issuer.instead["GET /v1/roles"] = (200, {}, as_json({"items": [], "next_cursor": "a"}))
    assert hourmark("role", "list").err == "There is none.\n"
    assert len(issuer.requests) == 2


def test_nobody_answers(hourmark: Hourmark, admin: str) -> None:
    assert admin
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    done = hourmark("whoami", "--url", url, "-o", "json")
    assert (done.code, done.error["code"]) == (7, "unreachable")
    assert f"curl {url}/livez" in done.error["hint"]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("issuer.example", "usage"),
        ("ftp://issuer.example", "usage"),
        ("https://", "usage"),
        ("https://issuer.example:port", "usage"),
        ("https://me:secret@issuer.example", "usage"),
        ("https://issuer.example?a=1", "usage"),
        ("https://issuer\udcff.example", "usage"),
        ("http://issuer.example", "insecure_url"),
        ("http://127.0.0.1.example", "insecure_url"),
    ],
)
def test_urls_that_no_credential_is_sent_to(hourmark: Hourmark, admin: str, url: str, code: str) -> None:
    assert admin
    done = hourmark("whoami", "-o", "json", HOURMARK_URL=url)
    assert (done.code, done.error["code"], "secret" in done.err) == (2, code, False)


def test_the_order_of_credentials(hourmark: Hourmark, issuer: IssuerDouble, home: Path) -> None:
    flag, variable, file, kept = (issuer.add_key(f"org.account.{name}") for name in ("a", "b", "c", "d"))
    (home / "file").write_text(file.reveal() + "\n")
    assert hourmark("login", "--url", issuer.url, "--api-token", kept.reveal()).code == 0

    def who(*arguments: str, **environ: str) -> str:
        return hourmark("whoami", "--field", "client_id", *arguments, **environ).out.strip()

    in_file = {"HOURMARK_TOKEN_FILE": str(home / "file")}
    both = in_file | {"HOURMARK_TOKEN": variable.reveal()}
    assert who("--app-token", flag.reveal(), **both) == flag.access
    assert who(**both) == variable.access
    assert who(**in_file) == file.access
    assert who() == kept.access
    assert who(HOURMARK_TOKEN="") == kept.access


def test_an_empty_flag_does_not_fall_through(hourmark: Hourmark, admin: str) -> None:
    assert admin
    assert hourmark("whoami", "--app-token", "").code == 4


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_credentials_file_that_cannot_be_read(
    hourmark: Hourmark, issuer: IssuerDouble, home: Path, content: bytes | None
) -> None:
    path = home / "file"
    if content is not None:
        path.write_bytes(content)
    done = hourmark("whoami", "-o", "json", HOURMARK_URL=issuer.url, HOURMARK_TOKEN_FILE=str(path))
    assert (done.code, done.error["code"]) == (1, "file_unreadable")


@pytest.mark.parametrize("content", ["{", "[]", '{"token": 1}'])
def test_a_broken_profile(hourmark: Hourmark, issuer: IssuerDouble, home: Path, content: str) -> None:
    kept = home / "config" / "hourmark" / "profiles" / "default.json"
    kept.parent.mkdir(parents=True)
    kept.write_text(content)
    done = hourmark("whoami", "-o", "json")
    assert (done.code, done.error["code"]) == (1, "profile_unreadable")
    assert str(kept) in done.error["hint"]
    key = issuer.add_key().reveal()
    assert hourmark("whoami", HOURMARK_URL=issuer.url, HOURMARK_TOKEN=key).code == 0
    assert hourmark("login", "--url", issuer.url, "--api-token", key).code == 0
    assert hourmark("whoami").code == 0


def test_a_profile_that_cannot_be_kept(hourmark: Hourmark, issuer: IssuerDouble, home: Path) -> None:
    (home / "config").write_text("a file where a directory should be")
    key = issuer.add_key().reveal()
    done = hourmark("login", "--url", issuer.url, "--api-token", key, "-o", "json")
    assert (done.code, done.error["code"]) == (1, "profile_not_kept")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["role"], "hourmark role --help"),
        (["role", "key", "new"], "hourmark role key new --help"),
        (["rôle"], "hourmark --help"),
        (["whoami", "--colour"], "hourmark whoami --help"),
        (["role", "get", "\udcff"], "type it again, in a terminal that is set to UTF-8"),
        (["whoami", "-o", "xml"], "hourmark whoami --help"),
    ],
)
def test_a_command_line_that_is_none(hourmark: Hourmark, arguments: list[str], hint: str) -> None:
    done = hourmark(*arguments)
    assert (done.code, done.out, f"  try: {hint}\n" in done.err) == (2, "", True)


@pytest.mark.parametrize(
    "form",
    [
        ["-o", "json"],
        ["-ojson"],
        ["-o=json"],
        ["-Ho=json"],
        ["--output=json"],
        ["--format", "json"],
        ["--format=json"],
    ],
)
def test_its_error_is_json_too(hourmark: Hourmark, form: list[str]) -> None:
    done = hourmark("whoami", "--colour", *form)
    assert (done.code, done.error["code"], done.error["hint"]) == (2, "usage", "hourmark whoami --help")


def test_words_of_others_do_not_steer_the_terminal(
    hourmark: Hourmark, issuer: IssuerDouble, admin: str
) -> None:
    assert admin
    issuer.instead["GET /v1/me"] = (403, {}, as_json(PROBLEM | {"detail": "\x1b[2Jgone\r\nError: fake"}))
    assert "\x1b" not in hourmark("whoami").err

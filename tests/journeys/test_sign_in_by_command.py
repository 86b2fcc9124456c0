"""A person signs in by the command line, with a browser here or elsewhere; the sign-in lasts, and ends."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.browsers import count_refreshes, signed_in
from tests.journeys.person import Person, line_with
from tests.running_issuer import BIN, RunningIssuer, start_issuer

AT_ONCE = 10
TTL = 100


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIssuer]:
    with start_issuer(tmp_path_factory.mktemp("issuer"), HOURMARKD_TOKEN_TTL=str(TTL)) as running:
        yield running


@pytest.fixture
def person(issuer: RunningIssuer, tmp_path: Path) -> Iterator[Person]:
    with signed_in(issuer, "admin") as browser:
        yield Person(issuer, tmp_path, browser)


def test_with_the_browser_on_this_computer(person: Person) -> None:
    said = person.sign_in_here()
    assert f"Signed in as admin in {person.issuer.url.removeprefix('http://')}" in said
    assert "no keyring" in said
    (kept,) = person.home.rglob("*.sign-in")
    assert kept.stat().st_mode & 0o777 == 0o600
    who = json.loads(person.run("whoami", "-o", "json").stdout)
    assert (who["principal"], who["client_id"]) == ("user:admin", "hourmark-cli")
    made = person.run("role", "new", f"org.tests.r{os.getpid()}")
    assert made.returncode == 0, made.stderr
    status = person.run("status")
    assert ("user:admin" in status.stdout, "hmr_" in status.stdout) == (True, False)


def test_a_header_for_curl(person: Person) -> None:
    person.sign_in_here()
    line = 'curl -sf -H "$(hourmark login token -H)" "$HOURMARK_URL/v1/me"'
    environment = person.environment | {"PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", line], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["principal"] == "user:admin"


def test_with_a_browser_anywhere(person: Person) -> None:
    process = person.start("login", "--device")
    code = line_with(process, "type the code").split()[-1]
    person.browser.get("/device")
    person.browser.send("/device", {"user_code": code})
    assert person.browser.send("/device/decision", {"decision": "allow"}).status_code == 200
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert "Signed in as admin in " in said


def test_denied(person: Person) -> None:
    process = person.start("login", "--device")
    code = line_with(process, "type the code").split()[-1]
    person.browser.get("/device")
    person.browser.send("/device", {"user_code": code})
    person.browser.send("/device/decision", {"decision": "deny"})
    _, said = process.communicate(timeout=30)
    assert (process.returncode, "not signed in" in said) == (4, True)


def test_a_token_is_kept_until_it_is_old_and_refreshed_by_one_process_alone(person: Person) -> None:
    person.sign_in_here()
    first = person.run("login", "token").stdout
    assert person.run("login", "token").stdout == first
    before = count_refreshes(person.issuer)
    # With less time left than it asks for, each process would have it refreshed.
    with ThreadPoolExecutor(AT_ONCE) as crowd:
        asked = [crowd.submit(person.run, "login", "token", "--scope", "data:get@*") for _ in range(AT_ONCE)]
    tokens = {done.result().stdout for done in asked}
    assert (len(tokens), count_refreshes(person.issuer) - before) == (1, 1)


def test_an_old_token_is_not_handed_out(person: Person) -> None:
    person.sign_in_here()
    first = person.run("login", "token").stdout
    (kept,) = person.home.rglob("*.sign-in")
    aged = json.loads(kept.read_text())
    for token in aged["tokens"].values():
        token["issued_at"] -= 10 * TTL
    kept.write_text(json.dumps(aged))
    assert person.run("login", "token").stdout not in ("", first)
    short = person.run("login", "token", "--min-ttl", "3600")
    assert (short.returncode, "would not live long enough" in short.stderr) == (4, True)


def test_signing_out_ends_it(person: Person) -> None:
    person.sign_in_here()
    token = person.run("login", "token").stdout.strip()
    out = person.run("logout")
    assert (out.returncode, "Signed out" in out.stderr) == (0, True)
    assert list(person.home.rglob("*.sign-in")) == []
    answer = httpx.get(f"{person.issuer.url}/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    for command in (["login", "token"], ["whoami"], ["logout"]):
        done = person.run(*command)
        assert (done.returncode, "hourmark login" in done.stderr) == (4, True), command


def test_a_sign_in_that_was_ended_elsewhere(person: Person) -> None:
    person.sign_in_here()
    person.browser.get("/session")
    person.browser.send("/session/sign-out-everywhere")
    done = person.run("whoami")
    assert (done.returncode, "hourmark login" in done.stderr) == (4, True)


def test_without_a_terminal_nobody_is_asked(person: Person) -> None:
    done = person.run("login")
    assert (done.returncode, "--device" in done.stderr) == (2, True)
    both = person.run("login", "--web", "--device")
    assert (both.returncode, "exclude one another" in both.stderr) == (2, True)


def test_a_token_that_was_ended_is_replaced_by_the_sign_in(person: Person) -> None:
    person.sign_in_here()
    assert person.run("whoami").returncode == 0
    # What ends the tokens of a user, and not the sign-ins: a role that is taken.
    with person.issuer.http() as admin:
        admin.post("/v1/roles", json={"name": "org.tests.taken"})
        admin.post("/v1/users/admin/roles", json={"role": "org.tests.taken"})
        assert admin.delete("/v1/users/admin/roles/org.tests.taken").status_code == 200
    done = person.run("whoami")
    assert done.returncode == 0, done.stderr


def test_signing_in_again_ends_the_sign_in_before(person: Person) -> None:
    person.sign_in_here()
    (kept,) = person.home.rglob("*.sign-in")
    before = json.loads(kept.read_text())["refresh_token"]
    person.sign_in_here()
    form = {"grant_type": "refresh_token", "client_id": "hourmark-cli", "refresh_token": before}
    assert httpx.post(f"{person.issuer.url}/v1/token", data=form).status_code == 400
    assert person.run("whoami").returncode == 0


def test_the_way_back_is_for_the_answer_alone(person: Person) -> None:
    process = person.start("login", "--web")
    target = line_with(process, "/authorize?").strip().removeprefix(person.issuer.url)
    back = httpx.URL(person.allow(target))
    # One that connects and says nothing, another path, and a page that makes an answer up.
    with socket.create_connection((back.host, back.port or 80)):
        assert httpx.get(back.copy_with(path="/else")).status_code == 404
        assert httpx.get(back.copy_merge_params({"state": "made-up"})).status_code == 404
        assert "signed in" in httpx.get(back).text
        _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said


def test_a_role_key_in_its_place_ends_the_sign_in(person: Person) -> None:
    person.sign_in_here()
    token = person.run("login", "token").stdout.strip()
    assert person.run("login", "--api-token", person.issuer.admin_key).returncode == 0
    assert list(person.home.rglob("*.sign-in")) == []
    answer = httpx.get(f"{person.issuer.url}/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


def test_nothing_of_it_goes_to_another_issuer(person: Person) -> None:
    person.sign_in_here()
    (kept,) = person.home.rglob("*.sign-in")
    with socket.create_server(("127.0.0.1", 0)) as other:
        elsewhere = ["--url", f"http://127.0.0.1:{other.getsockname()[1]}"]
        for command in (["login", "token", "--scope", "data:get@*"], ["whoami"]):
            done = person.run(*command, *elsewhere)
            assert (done.returncode, "not signed in at" in done.stderr) == (4, True), command
        # It ends where it began, whichever issuer is named.
        assert person.run("logout", *elsewhere).returncode == 0
        other.settimeout(0)
        with pytest.raises(BlockingIOError):
            other.accept()
    assert not kept.exists()


def test_where_it_cannot_be_kept(person: Person) -> None:
    (person.home / "hourmark").write_text("not a folder")
    process = person.start("login", "--web")
    target = line_with(process, "/authorize?").strip().removeprefix(person.issuer.url)
    httpx.get(person.allow(target))
    _, said = process.communicate(timeout=30)
    assert (process.returncode, "The sign-in cannot be kept" in said, "Traceback" in said) == (1, True, False)

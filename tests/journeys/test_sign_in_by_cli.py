"""A person signs in with a browser, here or elsewhere, and the command line goes on by itself from then on."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.browsers import Browser, signed_in
from tests.clients import allow
from tests.journeys.conftest import NewDatabase
from tests.journeys.terminal import Screen, Terminal
from tests.running_issuer import RunningIssuer, start_issuer

KEPT = "config/hourmark/profiles/default.json"
NO_KEYRING = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
_URL = re.compile(r"^  (http://\S+)$", re.MULTILINE)
_CODE = re.compile(r"the code (\S+):")


@pytest.fixture(scope="module")
def new_database() -> NewDatabase:
    """One kind is enough: the command line knows nothing of databases. Its file is looked into."""
    return dict


@pytest.fixture
def terminal(issuer: RunningIssuer, tmp_path: Path) -> Iterator[Terminal]:
    with Terminal(tmp_path, HOURMARK_URL=issuer.url, **NO_KEYRING) as opened:
        yield opened


@pytest.fixture
def screen(issuer: RunningIssuer, tmp_path: Path) -> Iterator[Screen]:
    with Screen(tmp_path, HOURMARK_URL=issuer.url, **NO_KEYRING) as opened:
        yield opened


@pytest.fixture
def browser(issuer: RunningIssuer) -> Iterator[Browser]:
    with signed_in(issuer, "admin") as opened:
        yield opened


def shown(terminal: Terminal, folder: Path, pattern: re.Pattern[str]) -> str:
    """What a command in the background says."""
    deadline = time.monotonic() + 30
    while (match := pattern.search((folder / "said").read_text())) is None:
        assert time.monotonic() < deadline, (folder / "said").read_text()
        time.sleep(0.05)
    return match[1]


def come_back(browser: Browser, url: str) -> httpx.Response:
    """What a browser does with the printed URL: its user agrees, and it follows to the loopback port."""
    answer = allow(browser, url.removeprefix(browser.url))
    assert answer.status_code == 302, answer.text
    return httpx.get(answer.headers["location"])


def sign_in(terminal: Terminal, folder: Path, browser: Browser, options: str = "") -> str:
    """`hourmark login --web` where nobody can be asked; returns what it said."""
    terminal(f": >said; hourmark login --web {options} 2>said & login=$!")
    assert come_back(browser, shown(terminal, folder, _URL)).status_code == 200
    terminal("wait $login")
    return (folder / "said").read_text()


def approve(browser: Browser, code: str, decision: str = "allow") -> None:
    browser.get("/device")
    browser.send("/device", {"user_code": code})
    assert browser.send("/device/decision", {"decision": decision}).status_code == 200


def refresh_tokens(issuer: RunningIssuer) -> int:
    """How many there ever were."""
    with sqlite3.connect(Path(issuer.settings["HOURMARKD_DATA_DIR"]) / "hourmark.db") as database:
        return int(database.execute("SELECT count(*) FROM refresh_token").fetchone()[0])


def test_with_the_browser_here(
    issuer: RunningIssuer, terminal: Terminal, browser: Browser, tmp_path: Path
) -> None:
    said = sign_in(terminal, tmp_path, browser)
    assert f"Signed in as admin in {urlsplit(issuer.url).netloc}\n" in said
    assert f"No keyring keeps the sign-in (this system has no keyring): it is kept in {tmp_path / KEPT}" in said
    assert (tmp_path / KEPT).stat().st_mode & 0o777 == 0o600

    # From now on it is a credential like any other: for the issuer itself, and for whoever wants a token.
    assert terminal("hourmark whoami --field principal") == "user:admin\n"
    assert "file" in terminal("hourmark status --field sign_in")
    assert terminal("hourmark role new org.from.web --field name") == "org.from.web\n"
    me = terminal(f'curl -sf -H "$(hourmark login token -H --resource {issuer.url})" {issuer.url}/v1/me')
    assert json.loads(me)["principal"] == "user:admin"
    assert json.loads(me)["client_id"] == "hourmark-cli"

    # Signing out ends it at the issuer too.
    kept = json.loads((tmp_path / KEPT).read_text())["sign_in"]
    assert "has ended" in terminal.run("hourmark logout").err
    with issuer.http(kept["tokens"][0]["access_token"]) as ended:
        assert ended.get("/v1/me").status_code == 401
    form = {"grant_type": "refresh_token", "client_id": "hourmark-cli", "refresh_token": kept["refresh_token"]}
    assert httpx.post(f"{issuer.url}/v1/token", data=form).json()["error"] == "invalid_grant"
    assert json.loads((tmp_path / KEPT).read_text()) == {"url": issuer.url}
    for line in ("logout", "whoami", "login token"):
        done = terminal.run(f"hourmark {line}")
        assert (done.code, "  try: hourmark login" in done.err) == (4, True)


def test_with_a_browser_elsewhere(screen: Screen, browser: Browser) -> None:
    """On a screen at the other end of SSH the menu leads to a code."""
    screen.run("export SSH_CONNECTION='192.0.2.1 1 192.0.2.2 22'")
    screen.type("hourmark login\n")
    menu = screen.until("Choice [2]: ")
    for way in ("create a new API token in the browser", "sign in with the browser", "paste a token"):
        assert way in menu
    screen.type("\n")
    match = _CODE.search(screen.until("/device\n"))
    assert match is not None
    approve(browser, match[1])
    done = screen.ends()
    assert (done.code, "Signed in as admin in " in done.shown) == (0, True)
    assert "user:admin" in screen.run("hourmark whoami").shown


def test_denied_in_the_browser(terminal: Terminal, browser: Browser, tmp_path: Path) -> None:
    terminal(": >said; hourmark login --web 2>said & login=$!")
    url = shown(terminal, tmp_path, _URL)
    back = re.search(r"redirect_uri=([^&]+)", url)
    state = re.search(r"state=([^&]+)", url)
    assert back is not None
    assert state is not None
    there = httpx.URL(back[1].replace("%3A", ":").replace("%2F", "/"))
    # Others may come to the port; only the answer of this sign-in counts.
    for stranger in (
        httpx.get(there.copy_with(path="/")),
        httpx.get(there, params={"code": "c", "state": "other", "iss": browser.url}),
        httpx.get(there, params={"code": "c", "state": state[1]}, headers={"Host": "evil.example"}),
    ):
        assert stranger.status_code in (400, 404)
    answer = httpx.get(there, params={"error": "access_denied", "state": state[1], "iss": browser.url})
    assert "did not sign in" in answer.text
    assert terminal.run("wait $login").code == 4
    assert "access_denied" in (tmp_path / "said").read_text()


def test_an_answer_of_another_issuer(terminal: Terminal, tmp_path: Path) -> None:
    terminal(": >said; hourmark login --web 2>said & login=$!")
    url = httpx.URL(shown(terminal, tmp_path, _URL))
    told = {"code": "c", "state": url.params["state"], "iss": "https://other.example"}
    httpx.get(url.params["redirect_uri"], params=told)
    assert terminal.run("wait $login").code == 1
    assert "came back from somebody else" in (tmp_path / "said").read_text()


def test_ten_at_once_refresh_once(
    issuer: RunningIssuer, terminal: Terminal, browser: Browser, tmp_path: Path
) -> None:
    sign_in(terminal, tmp_path, browser)
    before = refresh_tokens(issuer)
    many = " & ".join(f"hourmark login token >token-{number}" for number in range(10))
    terminal(f"{many} & wait")
    tokens = {(tmp_path / f"token-{number}").read_text() for number in range(10)}
    assert (len(tokens), refresh_tokens(issuer) - before) == (1, 1)


def test_it_is_got_anew_before_it_ends(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    with (
        start_issuer(tmp_path, HOURMARKD_TOKEN_TTL="100") as issuer,
        signed_in(issuer, "admin") as browser,
        Terminal(folder, HOURMARK_URL=issuer.url, **NO_KEYRING) as terminal,
    ):
        sign_in(terminal, folder, browser)
        first = terminal("hourmark login token")
        assert terminal("hourmark login token") == first
        assert terminal("hourmark login token --min-ttl 99 --field access_token") != first
        refused = terminal.run("hourmark login token --min-ttl 101 -o json")
        assert (refused.code, "ttl_too_short" in refused.err) == (4, True)
        assert terminal("hourmark login token --scope role:get@*") != first
        before = refresh_tokens(issuer)
        age(folder / KEPT, 81)
        terminal("hourmark login token")
        assert refresh_tokens(issuer) == before + 1


def test_a_token_that_was_ended_is_replaced(
    issuer: RunningIssuer, terminal: Terminal, browser: Browser, tmp_path: Path
) -> None:
    """As when a role is taken from somebody: the sign-in goes on, with the rights that are left."""
    sign_in(terminal, tmp_path, browser)
    token = json.loads((tmp_path / KEPT).read_text())["sign_in"]["tokens"][0]["access_token"]
    form = {"client_id": "hourmark-cli", "token": token}
    assert httpx.post(f"{issuer.url}/v1/revoke", data=form).status_code == 200
    assert terminal("hourmark whoami --field principal") == "user:admin\n"


def age(kept: Path, seconds: int) -> None:
    """As if its tokens had been got earlier."""
    profile = json.loads(kept.read_text())
    for token in profile["sign_in"]["tokens"]:
        token["issued_at"] -= seconds
        token["expires_at"] -= seconds
    kept.write_text(json.dumps(profile))

"""A browser without a screen, which keeps cookies and sends forms as browsers do; and how to sign one in."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from html import unescape
from typing import Self

import httpx
from sqlmodel import col, func, select

from issuer.browser import SESSION_COOKIE
from issuer.clients import CONSOLE_ID
from issuer.settings import Settings
from issuer.setup import open_database, read_key_encryption_key
from issuer.store import signing_keys, user_grants, users, visits
from issuer.store.database import Database, Transaction
from issuer.store.tables import RefreshToken
from issuer.store.user_grants import SESSION, Authentication, Place
from issuer.store.visits import Opened
from keys import Handle, KeyEncryptionKey, handle_hash
from tests.running_issuer import RunningIssuer

LIFETIME = 3600
_TAG = re.compile(r"<(input|button)\b([^>]*)>")
_FORM = re.compile(r'<form method="post" action="([^"]*)"[^>]*>(.*?)</form>', re.DOTALL)
_REFRESH = re.compile(r'<meta http-equiv="refresh" content="0; url=([^"]*)">')
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')


class Browser:
    """httpx keeps `Secure` cookies for TLS alone; browsers send them to loopback too, and so does this."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies: dict[str, str] = {}
        self.page = ""
        """The last page that was shown."""
        # Nothing here is TLS, and reading what would verify it takes longer than all else.
        self._http = httpx.Client(base_url=url, timeout=10, verify=False)  # noqa: S501 - as said

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Asks for a page; follows no redirect."""
        return self._send("GET", path, None, headers)

    def follow(self, answer: httpx.Response) -> httpx.Response:
        """Goes where answers lead, as long as that is this issuer."""
        while answer.is_redirect and answer.headers["location"].startswith("/"):
            answer = self.get(answer.headers["location"])
        return answer

    def send(
        self, path: str, fields: dict[str, str] | None = None, /, *, csrf: str | None = None, **headers: str
    ) -> httpx.Response:
        """Sends a form with the hidden fields of the last page; follows no redirect."""
        given = self.hidden() | (fields or {}) | ({} if csrf is None else {"csrf": csrf})
        return self._send(
            "POST", path, given, {"Origin": self.url, "Sec-Fetch-Site": "same-origin"} | headers
        )

    def press(
        self, button: str, fields: dict[str, str] | None = None, /, *, on: str | None = None
    ) -> httpx.Response:
        """Sends the form with this button, of the last page, or of the one at `on`; follows no redirect."""
        if on is not None:
            self.get(on)
        action, inside = next(
            (unescape(action), form) for action, form in _FORM.findall(self.page) if button in unescape(form)
        )
        hidden = self._hidden(inside)
        return self.send(action, hidden | (fields or {}))

    def hidden(self) -> dict[str, str]:
        """The hidden fields of the last page, by name."""
        return self._hidden(self.page)

    @staticmethod
    def _hidden(page: str) -> dict[str, str]:
        tags = (dict(_ATTRIBUTE.findall(found)) for _, found in _TAG.findall(page))
        return {tag["name"]: unescape(tag.get("value", "")) for tag in tags if tag.get("type") == "hidden"}

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(
        self, method: str, path: str, form: dict[str, str] | None, headers: dict[str, str]
    ) -> httpx.Response:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self._http.request(
            method, path, data=form, headers=sent | ({"Cookie": cookie} if cookie else {})
        )
        for name, value in _set_cookies(answer):
            self.cookies[name] = value
            if not value:
                del self.cookies[name]
        if answer.headers.get("content-type", "").startswith("text/html"):
            self.page = answer.text
        return answer


@dataclass(frozen=True)
class Inside:
    """An issuer's database and keys, as its own processes have them."""

    database: Database
    settings: Settings
    kek: KeyEncryptionKey

    @property
    def hash_key(self) -> bytes:
        with self.database.read() as reading:
            hash_keys = signing_keys.open_hash_keys(reading, self.kek)
        return hash_keys[max(hash_keys)]

    def write(self, actor: str, client_id: str | None = None) -> AbstractContextManager[Transaction]:
        """client_id: the app that acts for `actor`, if one does."""
        return self.database.write(actor=actor, now=int(time.time()), client_id=client_id)


@contextmanager
def inside(issuer: RunningIssuer) -> Iterator[Inside]:
    """For what no interface makes, or none that the test should depend on."""
    names = {name.removeprefix("HOURMARKD_").lower(): value for name, value in issuer.settings.items()}
    names.pop("upstream_providers", None)  # a text here, and nothing that is looked at
    settings = Settings.model_validate(names)
    with closing(open_database(settings)) as database:
        yield Inside(database, settings, read_key_encryption_key(settings))


def signed_in(
    issuer: RunningIssuer, user: str, *, at: int | None = None, methods: Iterable[str] = ("pwd",)
) -> Browser:
    """A browser in which `user` (its name alone) proved at `at`, by default now, who it is.

    Its session is written into the database, so nothing depends on how people sign in.
    """
    cookie = Handle.SESSION.generate()
    with inside(issuer) as there, there.write(f"user:{user}") as tx:
        user_grants.create(
            tx,
            SESSION,
            users.get(tx.session, user).principal,
            CONSOLE_ID,
            scope=None,
            authentication=Authentication(tx.now if at is None else at, tuple(methods)),
            place=Place("127.0.0.1", "tests"),
            expires_at=tx.now + LIFETIME,
            cookie_hash=handle_hash(cookie, there.hash_key),
        )
    browser = Browser(issuer.settings["HOURMARKD_ISSUER"])
    browser.cookies[SESSION_COOKIE] = cookie
    return browser


def let_in(issuer: RunningIssuer, user: str, client_id: str, *, agent: str = "tests") -> None:
    """A visit of `user` (its name alone) at an app, in some browser: written, as a session is above."""
    with inside(issuer) as there, there.write(f"user:{user}") as tx:
        code = visits.begin(
            tx,
            client_id,
            Opened(users.get(tx.session, user).principal.id),
            target="/",
            browser_hash=b"",
            address="192.0.2.8",
            user_agent=agent,
            lifetime=LIFETIME,
            hash_key=there.hash_key,
        )
        visits.redeem(tx, code, client_id, browser_hash=b"", hash_key=there.hash_key)


def leads_to(answer: httpx.Response) -> str:
    """Where an answer leads: by a redirect, or as a page that goes on by itself."""
    if answer.is_redirect:
        return str(answer.headers["location"])
    found = _REFRESH.search(answer.text)
    assert found, f"{answer.status_code}: {answer.text}"
    return unescape(found[1])


def count_refreshes(issuer: RunningIssuer) -> int:
    """How many refresh tokens of this issuer were ever used."""
    with inside(issuer) as there, there.database.read() as reading:
        return reading.exec(select(func.count()).where(col(RefreshToken.used_at).is_not(None))).one()


def _set_cookies(answer: httpx.Response) -> Iterable[tuple[str, str]]:
    for header in answer.headers.get_list("set-cookie"):
        name, _, rest = header.partition("=")
        value = rest.partition(";")[0].strip('"')
        yield name, "" if "Max-Age=0" in rest else value

"""The service as its verifiers see it, at the issuer's URL."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import anyio
import httpx

from issuer.doctor import clocks, status_list
from issuer.doctor.finding import Finding, failure, ok, warning
from issuer.settings import Settings
from issuer.signing import SigningKeys
from issuer.store.database import Database
from verifier import DocumentError, Trust, strict_json
from verifier.status_list import MAX_DOCUMENT_CHARACTERS

_DEADLINE = 3.0
"""Seconds for all that is asked, whatever it is that is slow."""
_SETTLING = 1.0
"""Seconds within which every process has heard of a change."""
_SERVICE, _KEYS, _LIST, _CLOCK = "service", "service's keys", "service's list", "service's clock"
_RESTART = "look at its log, and restart it"


@dataclass(frozen=True, slots=True)
class Answers:
    """What the service publishes, and how far its clock is ahead of ours in seconds."""

    metadata: bytes
    jwks: bytes
    status_list: bytes
    clock_ahead: float | None


class NoAnswer(Exception):
    """Nothing answers at the issuer's URL, or not in time."""


class OtherAnswer(Exception):
    """Something answers, and not as an issuer does."""


def check(
    settings: Settings, database: Database, signing: SigningKeys, clock: Callable[[], float]
) -> Iterator[Finding]:
    """Asks the service twice if it seems behind: it may just be hearing of a change."""
    url = settings.issuer_url
    try:
        answers = anyio.run(ask, url, clock)
    except NoAnswer:
        mend = "run `hourmarkd serve`, or look at the proxy before it"
        yield warning(_SERVICE, f"nothing answers at {url}", mend)
        return
    except OtherAnswer as error:
        yield failure(_SERVICE, f"{url} does not answer as an issuer does: {error}", "check HOURMARKD_ISSUER")
        return
    first = identity(answers.metadata, url)
    yield first
    if first.mend is not None:
        return
    behind = list(_publications(answers, url, database, signing, clock))
    if any(finding.mend is not None for finding in behind):
        time.sleep(_SETTLING)
        with suppress(NoAnswer, OtherAnswer):
            behind = list(_publications(anyio.run(ask, url, clock), url, database, signing, clock))
    yield from behind
    if answers.clock_ahead is not None:
        yield clocks.agree(_CLOCK, "the service's", answers.clock_ahead)


def identity(metadata: bytes, url: str) -> Finding:
    """Whose metadata it is (RFC 8414 section 3.3)."""
    try:
        issuer = strict_json.parse_object(metadata).get("issuer")
    except ValueError:
        issuer = None
    if issuer == url:
        return ok(_SERVICE, f"it answers as {url}")
    said = f"at {url} another issuer answers" + (f": {issuer}" if isinstance(issuer, str) else "")
    return failure(_SERVICE, said, "set HOURMARKD_ISSUER to the same for both, and restart the service")


def keys(served: bytes, stored: bytes) -> Finding:
    if served == stored:
        return ok(_KEYS, "they are the database's")
    return failure(
        _KEYS, "the JWKS is not the database's: another database, cached too long, or stuck", _RESTART
    )


def published_list(answers: Answers, url: str, stored_version: int, now: float) -> Finding:
    """Whether a verifier that starts now would accept it, and whether it is the newest."""
    try:
        trust = Trust.from_documents(
            issuer=url, jwks=answers.jwks, status_lists=[answers.status_list], now=now
        )
    except DocumentError as error:
        return failure(_LIST, f"verifiers refuse it: {error.code}", _RESTART)
    (signed,) = trust.lists.values()
    version = signed.content.version
    if version < stored_version:
        said = f"version {version} is served, and {stored_version} is signed: revocations do not get through"
        return failure(_LIST, said, _RESTART)
    return ok(_LIST, f"verifiers accept version {version}, the newest")


async def ask(url: str, clock: Callable[[], float]) -> Answers:
    """Raises NoAnswer, OtherAnswer."""
    # Plain http stays on this host, past any proxy. Nothing is compressed: little could become a lot.
    https, headers = url.startswith("https"), {"Accept-Encoding": "identity"}
    try:
        with anyio.fail_after(_DEADLINE):
            async with httpx.AsyncClient(trust_env=https, headers=headers, timeout=_DEADLINE) as client:
                metadata, ahead = await _get(client, f"{url}/.well-known/openid-configuration", clock)
                jwks, _ = await _get(client, f"{url}/.well-known/jwks.json", clock)
                document, _ = await _get(client, f"{url}/status/1", clock)
    except (httpx.ConnectError, httpx.TimeoutException, TimeoutError) as error:
        raise NoAnswer from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OtherAnswer(type(error).__name__) from error
    return Answers(metadata, jwks, document, ahead)


async def _get(client: httpx.AsyncClient, url: str, clock: Callable[[], float]) -> tuple[bytes, float | None]:
    body = bytearray()
    async with client.stream("GET", url) as answer:
        if answer.status_code != httpx.codes.OK:
            raise OtherAnswer(f"status {answer.status_code} for {answer.url.path}")
        async for chunk in answer.aiter_raw():
            body += chunk
            if len(body) > MAX_DOCUMENT_CHARACTERS:
                raise OtherAnswer(f"{answer.url.path} is longer than any document")
    answered_at = clocks.of_answer(answer)
    return bytes(body), None if answered_at is None else answered_at - clock()


def _publications(
    answers: Answers, url: str, database: Database, signing: SigningKeys, clock: Callable[[], float]
) -> Iterator[Finding]:
    now = clock()
    signing.load(int(now))
    yield keys(answers.jwks, signing.published.document)
    yield published_list(answers, url, status_list.read(database).signed_version, now)

"""A running docker registry: whether it sends its clients here, and accepts what is signed now, and next."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx

from issuer import rfc3339
from issuer.doctor import clocks
from issuer.doctor.finding import Finding, failure, ok, warning
from issuer.mint import mint_for_registry
from issuer.registry.signers import MODES
from issuer.registry.trust_files import realm
from issuer.settings import Settings
from issuer.signing import SigningKeys, Standing
from keys import Phase, SigningKey

_DEADLINE = 3.0
"""Seconds for each thing that is asked."""
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_EXPORT = "run `hourmarkd export registry`, bring it the files, and restart it"


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the registry tells who comes without a token."""

    realm: str
    service: str


class NotAsked(Exception):
    """The registry does not answer, or not as one that wants tokens; the message says what it does."""


def check(
    settings: Settings, signing: SigningKeys, url: str, clock: Callable[[], float]
) -> Iterator[Finding]:
    """url: where clients find it, without `/v2/`. No token that is shown there permits anything."""
    about = f"registry {url}"
    try:
        challenge, answered_at = _challenge(url)
        yield directions(about, challenge, settings)
        if challenge.service not in settings.registry_services:
            return
        now = int(clock())
        signing.load(now)
        ring = MODES[settings.registry_trust].ring
        for standing in signing.standings(now):
            if standing.ring == ring and standing.phase in (Phase.CURRENT, Phase.NEXT):
                answer = _ask(url, _token(settings, challenge.service, standing.key, now))
                yield trust(about, standing, is_trusted=answer.status_code == httpx.codes.OK)
    except NotAsked as error:
        yield failure(about, str(error), "check its address, and `auth.token` in its config.yml")
        return
    if answered_at is not None:
        yield clocks.agree(about, "the registry's", answered_at - clock())


def directions(about: str, challenge: Challenge, settings: Settings) -> Finding:
    """Whether clients are sent to this issuer, and the registry is known here."""
    if challenge.service not in settings.registry_services:
        said = f"it calls itself {challenge.service}, which is no registry service here"
        return failure(about, said, f"add {challenge.service} to HOURMARKD_REGISTRY_SERVICES")
    if challenge.realm != realm(settings):
        said = f"it sends clients to {challenge.realm}, and not to {realm(settings)}"
        return warning(about, said, "set `auth.token.realm` in its config.yml, unless both lead here")
    return ok(about, f"it calls itself {challenge.service} and sends clients here")


def trust(about: str, standing: Standing, *, is_trusted: bool) -> Finding:
    """Of the key that signs, or certifies what does, and of the one that follows."""
    key = f"the {standing.ring} key {standing.key.kid}"
    if is_trusted:
        return ok(about, f"it trusts {key}, which is {standing.phase}")
    if standing.phase is Phase.CURRENT:
        return failure(about, f"it refuses every token: it does not know {key}", _EXPORT)
    takes_over = rfc3339.write(standing.row.signs_from)
    return warning(about, f"it does not know {key}, which takes over at {takes_over}", _EXPORT)


def _token(settings: Settings, service: str, key: SigningKey, now: int) -> str:
    """As it would be if `key` were the current one of its ring."""
    return mint_for_registry(
        MODES[settings.registry_trust].signer(key, now),
        issuer=settings.issuer_url,
        service=service,
        subject="hourmarkd doctor",
        access=(),
        ends_at=None,
        now=now,
    ).raw


def _challenge(url: str) -> tuple[Challenge, float | None]:
    """And the registry's time in Unix seconds, if it says so. Raises NotAsked."""
    answer = _ask(url, None)
    if answer.status_code == httpx.codes.OK:
        raise NotAsked("it lets everybody in, without a token")
    scheme, _, parameters = answer.headers.get("www-authenticate", "").partition(" ")
    said = dict(_PARAMETER.findall(parameters))
    if answer.status_code != httpx.codes.UNAUTHORIZED or scheme.lower() != "bearer":
        raise NotAsked(f"it does not ask for a token, but answers with status {answer.status_code}")
    return Challenge(said.get("realm", ""), said.get("service", "")), clocks.of_answer(answer)


def _ask(url: str, token: str | None) -> httpx.Response:
    """Raises NotAsked."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    try:
        # Plain http stays on this host or in its network, past any proxy.
        with httpx.Client(trust_env=url.startswith("https"), timeout=_DEADLINE) as client:
            return client.get(f"{url.rstrip('/')}/v2/", headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotAsked(f"nothing answers there ({type(error).__name__})") from error

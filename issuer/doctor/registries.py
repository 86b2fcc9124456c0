"""A running docker registry: whether it sends its clients here, and accepts what is signed now, and next.

It is shown tokens, of which none permits anything, and says yes or no. What its config.yml has is told from
that: it is on another host, and nobody brings it here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import orjson

from issuer import rfc3339
from issuer.doctor import clocks
from issuer.doctor.finding import Finding, failure, ok, warning
from issuer.mint import mint_for_registry
from issuer.registry.signers import MODES, Signer
from issuer.registry.trust_files import realm
from issuer.rotation import REGISTRY_ALGORITHM
from issuer.setting_values import is_loopback
from issuer.settings import Settings
from issuer.signing import SigningKeys, Standing
from issuer.store.signing_keys import REGISTRY, REGISTRY_CA
from keys import Phase
from verifier import jws

_DEADLINE = 3.0
"""Seconds for each thing that is asked."""
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_EXPORT = "run `hourmarkd export registry`, bring it the files, and restart it"
_SETTINGS = (
    "run `hourmarkd export registry`, bring it the files, put the `auth` that they have into its config.yml, "
    "and restart it"
)
_ANOTHER_ALGORITHM = "RS256"
"""Version 2 takes it from whatever the authority certifies, and version 3 unless its settings forbid it."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the registry tells who comes without a token."""

    realm: str
    service: str


class NotAsked(Exception):
    """The registry does not answer, or not as one that wants tokens; the message says what it does."""


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry that is shown tokens."""

    url: str
    service: str
    issuer: str
    now: int

    def accepts(self, signer: Signer, **changes: object) -> bool:
        """Whether it takes a token as we issue them, but for the claims that are changed. Raises NotAsked."""
        token = mint_for_registry(
            signer,
            issuer=self.issuer,
            service=self.service,
            subject="hourmarkd doctor",
            access=(),
            ends_at=None,
            now=self.now,
        ).raw
        if changes:
            token = signer.sign(orjson.dumps(orjson.loads(jws.parse(token).payload) | changes))
        return _ask(self.url, token).status_code == httpx.codes.OK


def check(
    settings: Settings, signing: SigningKeys, url: str, clock: Callable[[], float]
) -> Iterator[Finding]:
    """url: where clients find it, without `/v2/`. No token that is shown there permits anything."""
    about = f"registry {url}"
    try:
        place = address(url)
        challenge, answered_at = _challenge(place)
        yield directions(about, challenge, settings)
        if challenge.service not in settings.registry_services:
            return
        now = int(clock())
        signing.load(now)
        registry = Registry(place, challenge.service, settings.issuer_url, now)
        yield from trusted_keys(about, registry, settings, signing, challenge)
    except NotAsked as error:
        yield failure(about, str(error), "check its address, and `auth.token` in its config.yml")
        return
    if answered_at is not None:
        yield clocks.agree(about, "the registry's", answered_at - clock())


def address(text: str) -> str:
    """As clients take it, where no scheme is named: plain http on this host, else https. Raises NotAsked."""
    url = text if "://" in text else f"//{text}"
    try:
        parts = urlsplit(url)
        scheme, host, user, _ = parts.scheme, parts.hostname, parts.username, parts.port
    except ValueError:
        scheme, host, user = "", None, None
    if host is None or user is not None or scheme not in ("", "http", "https"):
        raise NotAsked("this is no registry: write HOST:PORT, http://HOST:PORT or https://HOST:PORT")
    return url if scheme else f"{'http' if is_loopback(host) else 'https'}:{url}"


def trusted_keys(
    about: str, registry: Registry, settings: Settings, signing: SigningKeys, challenge: Challenge
) -> Iterator[Finding]:
    """Of each key that signs, or will. Then of what it takes besides."""
    mode = MODES[settings.registry_trust]
    known = [
        (standing, registry.accepts(mode.signer(standing.key, registry.now)))
        for standing in signing.standings(registry.now)
        if standing.ring == mode.ring and standing.phase in (Phase.CURRENT, Phase.NEXT)
    ]
    if any(is_trusted for _, is_trusted in known):
        for standing, is_trusted in known:
            yield trust(about, standing, is_trusted=is_trusted)
        yield from strictness(about, registry, signing)
        return
    signer = mode.signer(signing.of(mode.ring), registry.now)
    others = _other_issuers(settings, challenge)
    wrong = next((each for each in others if registry.accepts(signer, iss=each)), None)
    if wrong is not None:
        said = f"it refuses every token: its `issuer` is {wrong}, and not {settings.issuer_url}"
        yield failure(about, said, f"set `auth.token.issuer` to {settings.issuer_url}, and restart it")
        return
    said = (
        f"it refuses every token: it knows no {mode.ring} key of ours, its `issuer` is another one than "
        f"{settings.issuer_url}, or its `signingalgorithms` lack {REGISTRY_ALGORITHM}"
    )
    yield failure(about, said, _SETTINGS)


def strictness(about: str, registry: Registry, signing: SigningKeys) -> Iterator[Finding]:
    """What version 3 does unless it is told otherwise. Version 2 takes no list for `aud`, and has no settings
    for the rest.
    """
    by_leaf = Signer.by_leaf(signing.of(REGISTRY_CA), registry.now)
    by_kid = Signer.by_kid(signing.of(REGISTRY), registry.now)
    if not any(registry.accepts(signer, aud=[registry.service]) for signer in (by_leaf, by_kid)):
        return
    if registry.accepts(Signer.by_leaf(signing.of(REGISTRY_CA), registry.now, _ANOTHER_ALGORITHM)):
        said = f"`signingalgorithms` is missing: it takes other algorithms than {REGISTRY_ALGORITHM}, too"
        yield warning(about, said, _SETTINGS)
    if not registry.accepts(by_kid):
        said = "it finds no key by its `kid`: `jwks` is missing, or its file is an older one"
        yield warning(about, said, _SETTINGS)


def _other_issuers(settings: Settings, challenge: Challenge) -> Iterator[str]:
    """What is written there by mistake. A token that says so permits nothing."""
    origin = challenge.realm.partition("/v1/")[0]
    for url in dict.fromkeys((settings.issuer_url, origin)):
        scheme, _, rest = url.partition("://")
        other = "http" if scheme == "https" else "https"
        yield from (each for each in (url, f"{url}/", f"{other}://{rest}") if each != settings.issuer_url)
    yield challenge.realm
    yield challenge.service


def directions(about: str, challenge: Challenge, settings: Settings) -> Finding:
    """Whether clients are sent to this issuer, and the registry is known here."""
    if challenge.service not in settings.registry_services:
        said = f"it calls itself {challenge.service}, which is no registry service here"
        return failure(about, said, f"add {challenge.service} to HOURMARKD_REGISTRY_SERVICES")
    if challenge.realm.startswith(f"{settings.issuer_url}/") and challenge.realm != realm(settings):
        said = f"it sends clients to {challenge.realm}, where nothing is"
        return failure(about, said, f"set `auth.token.realm` in its config.yml to {realm(settings)}")
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
        return failure(
            about, f"it refuses every token: it knows the key that follows, and not {key}", _EXPORT
        )
    takes_over = rfc3339.write(standing.row.signs_from)
    return warning(about, f"it does not know {key}, which takes over at {takes_over}", _EXPORT)


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

"""A role key exchanged under load: against a route that does nothing, by two workers, against others."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import jwt

from scripts.benchmarks import installed, servers, wrk
from scripts.benchmarks.issuing import initialise, issuing
from scripts.benchmarks.measure import Benchmark, CannotMeasure, Extent, Measure, Round, at_least, at_most
from scripts.benchmarks.peers.issuing import authlib_on_flask, oidc_provider

_PEERS = {"oidc-provider": (oidc_provider, 3), "Authlib on Flask": (authlib_on_flask, 12)}
"""Each with how many times its rate ours is to be."""
_OURS = "exchange"


@dataclass(frozen=True, slots=True)
class _Side:
    """One server under load, and how it is asked."""

    name: str
    url: str
    credentials: Path
    closes: bool = False

    def ask(self, seconds: int) -> Round:
        seen = wrk.load(self.url, self.credentials, seconds, closes=self.closes)
        return {
            f"{self.name} /s": seen.per_second,
            f"{self.name} p50 ms": seen.p50,
            f"{self.name} p99 ms": seen.p99,
        }


@contextmanager
def _prepare(extent: Extent) -> Iterator[Callable[[], Round]]:
    seconds = 1 if extent.quick else 4
    with TemporaryDirectory() as temporary, ExitStack() as running:
        sides = list(_sides(Path(temporary), running, extent))
        for side in sides:
            side.ask(1)  # the first requests find everything cold

        def one_round() -> Round:
            seen: Round = {}
            for side in sides:
                seen |= side.ask(seconds)
            return seen

        yield one_round


def _sides(folder: Path, running: ExitStack, extent: Extent) -> Iterator[_Side]:
    """Everything that is asked, in the order of a round; ours right after what it is compared with."""
    for workers, plural in ((1, ""), (2, ", two workers")):
        ours = folder / f"ours-{workers}"
        ours.mkdir()
        issuer = running.enter_context(issuing(initialise(ours), workers=workers))
        _require_es256(_OURS, issuer.token_url, issuer.key)
        key = wrk.write_credentials(ours / "credentials", [issuer.key])
        noop = running.enter_context(_noop(ours, workers))
        yield _Side(f"no-op{plural}", noop, key)
        yield _Side(f"{_OURS}{plural}", issuer.token_url, key)
        if workers == 1:
            yield _Side("no-op, new connections", noop, key, closes=True)
            yield _Side(f"{_OURS}, new connections", issuer.token_url, key, closes=True)
    for name, (peer, _) in _PEERS.items() if extent.peers else ():
        other = running.enter_context(peer(folder))
        _require_es256(name, other.token_url, other.key)
        yield _Side(name, other.token_url, wrk.write_credentials(folder / name, [other.key]))


def _require_es256(name: str, url: str, key: tuple[str, str]) -> None:
    """Only those are compared that do the same: sign an access token of their own with ES256."""
    answer = httpx.post(url, data={"grant_type": "client_credentials"}, auth=key, timeout=10)
    try:
        header = jwt.get_unverified_header(answer.raise_for_status().json()["access_token"])
    except (httpx.HTTPStatusError, KeyError, ValueError, jwt.InvalidTokenError) as error:
        raise CannotMeasure(
            f"{name} answered {answer.status_code} and no JWT: mend how it is set up"
        ) from error
    if (header["alg"], header.get("typ")) != ("ES256", "at+jwt"):
        raise CannotMeasure(
            f"{name} signs with {header['alg']} and type {header.get('typ')}: set it to ES256"
        )


@contextmanager
def _noop(folder: Path, workers: int) -> Iterator[str]:
    port = servers.free_port()
    url = f"http://127.0.0.1:{port}/v1/token"
    command = [sys.executable, "-m", "scripts.benchmarks.noop", str(port), str(workers)]
    with servers.serving(command, url, folder / "no-op.log", PYTHONPATH=str(installed.PROJECT)):
        yield url


def _measures() -> Iterator[Measure]:
    ours = f"{_OURS} /s"
    yield Measure(name="exchange", of=ours, unit="/s")
    yield Measure(name="exchange ÷ no-op with body", of=ours, over="no-op /s", target=at_least(0.5))
    yield Measure(
        name="exchange ÷ no-op, new connections",
        of=f"{_OURS}, new connections /s",
        over="no-op, new connections /s",
    )
    yield Measure(name="exchange, p50", of=f"{_OURS} p50 ms", unit="ms")
    yield Measure(name="exchange, p99", of=f"{_OURS} p99 ms", unit="ms")
    yield Measure(name="p99 ÷ p50", of=f"{_OURS} p99 ms", over=f"{_OURS} p50 ms", target=at_most(4))
    yield Measure(name="two workers ÷ one", of=f"{_OURS}, two workers /s", over=ours, target=at_least(1.7))
    yield Measure(name="no-op, two workers ÷ one", of="no-op, two workers /s", over="no-op /s")
    for name, (_, times) in _PEERS.items():
        yield Measure(
            name=f"exchange ÷ {name}", of=ours, over=f"{name} /s", target=at_least(times), is_peers=True
        )


BENCHMARK = Benchmark(name="exchange", measures=tuple(_measures()), prepare=_prepare)

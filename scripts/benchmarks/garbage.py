"""What is no token of ours, refused: by then somebody has only spent bandwidth, and so should we."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from keys import base64url
from scripts.benchmarks import tokens, turns
from scripts.benchmarks.measure import Benchmark, Extent, Measure, Round, at_most
from verifier import TokenError, Verifier


def _with_header(**changes: str) -> str:
    """A token of ours with another header; its signature is never reached."""
    header = {"alg": "ES256", "kid": tokens.signing_key("ES256").kid, "typ": "at+jwt"} | changes
    encoded = base64url.encode(json.dumps(header, separators=(",", ":")).encode()).decode()
    _, payload, signature = _good().split(".")
    return f"{encoded}.{payload}.{signature}"


def _good() -> str:
    return tokens.mint("ES256", 1)[0]


_KINDS: dict[str, Callable[[], str]] = {
    "empty": lambda: "",
    "a role key": lambda: "hmk_0123456789abcdef:" + "A" * 38,
    "two segments": lambda: _good().rpartition(".")[0],
    "five segments": lambda: f"{_good()}..",
    "too long": lambda: "A" * 100_000,
    "not ASCII": lambda: _good().replace("e", "é", 1),
    "not base64url": lambda: _good()[:-1] + "=",
    "a header that is no JSON": lambda: "AAAA" + _good()[4:],
    "alg none": lambda: _with_header(alg="none"),
    "alg HS256": lambda: _with_header(alg="HS256"),
    "another type": lambda: _with_header(typ="JWT"),
    "an unknown key": lambda: _with_header(kid="A" * 43),
    "zip": lambda: _with_header(zip="DEF"),
}


@contextmanager
def _prepare(extent: Extent) -> Iterator[Callable[[], Round]]:
    verifier = tokens.verifier()
    garbage = {kind: make() for kind, make in _KINDS.items()}
    repeated = range(200 if extent.quick else 2000)
    ways: dict[str, Callable[[int], object]] = {
        f"{kind} µs": _refusal(verifier, text) for kind, text in garbage.items()
    }
    yield lambda: turns.microseconds(ways, repeated)


def _refusal(verifier: Verifier, text: str) -> Callable[[int], object]:
    with suppress(TokenError):
        verifier.verify(text)
        raise ValueError(f"{text[:20]}… was accepted")

    def refuse(_: int) -> None:
        # Not `suppress`: it would cost as much as the refusal.
        try:  # noqa: SIM105
            verifier.verify(text)
        except TokenError:
            pass

    return refuse


BENCHMARK = Benchmark(
    name="garbage",
    measures=tuple(
        Measure(name=f"refused: {kind}", of=f"{kind} µs", unit="µs", target=at_most(5)) for kind in _KINDS
    ),
    prepare=_prepare,
)

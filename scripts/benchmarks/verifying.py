"""A token verified: cold against the bare signature check, hot, by two threads, and by other libraries."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import jwt

from scripts.benchmarks import tokens, turns
from scripts.benchmarks.measure import Benchmark, Extent, Measure, Round, at_least, at_most
from scripts.benchmarks.peers.verifying import COLUMNS, PeerVerifiers
from verifier import Verifier

_REQUIRED = ["iss", "aud", "sub", "iat", "exp", "jti", "client_id"]
_COLD = {"ES256": at_most(1.15), "EdDSA": at_most(1.10), "RS256": at_most(1.40)}
_COPIES = 10


def _measures() -> Iterator[Measure]:
    for algorithm in tokens.ALGORITHMS:
        raw = f"raw {algorithm} µs"
        yield Measure(
            name=f"cold ÷ raw, {algorithm}", of=f"cold {algorithm} µs", over=raw, target=_COLD[algorithm]
        )
        yield Measure(name=f"PyJWT ÷ raw, {algorithm}", of=f"PyJWT {algorithm} µs", over=raw)
        for library, base in COLUMNS.items():
            yield Measure(
                name=f"{library} ÷ raw, {algorithm}",
                of=f"{library} {algorithm} µs",
                over=f"{base} {algorithm} µs",
                is_peers=True,
            )
    yield Measure(name="hot", of="hot µs", unit="µs", target=at_most(0.8))
    yield Measure(name="PyJWT ÷ hot", of="PyJWT ES256 µs", over="hot µs", target=at_least(150))
    yield Measure(
        name="two threads ÷ one, cold ES256",
        of="two threads tokens/s",
        over="one thread tokens/s",
        target=at_least(1.6),
    )


@contextmanager
def _prepare(extent: Extent) -> Iterator[Callable[[], Round]]:
    count = 200 if extent.quick else 2000
    with PeerVerifiers(extent) as peers:

        def one_round() -> Round:
            seen: Round = {}
            for algorithm in tokens.ALGORITHMS:
                minted = tokens.mint(algorithm, count)
                seen |= _cold(algorithm, minted) | peers.microseconds(algorithm, minted)
            seen["hot µs"] = _hot(count)
            seen["one thread tokens/s"] = _tokens_per_second(1, count)
            seen["two threads tokens/s"] = _tokens_per_second(2, count)
            return seen

        yield one_round


def _cold(algorithm: str, minted: list[str]) -> Round:
    """Each token once in each way: nobody has seen it before."""
    signed = [tokens.signed_part(algorithm, token) for token in minted]
    check = tokens.signature_check(tokens.public_key(algorithm))
    verify, decode = tokens.verifier().verify, _pyjwt(algorithm)
    ways: dict[str, Callable[[int], object]] = {
        f"raw {algorithm} µs": lambda number: check(signed[number]),
        f"cold {algorithm} µs": lambda number: verify(minted[number]),
        f"PyJWT {algorithm} µs": lambda number: decode(minted[number]),
    }
    return turns.microseconds(ways, range(len(minted)))


def _pyjwt(algorithm: str) -> Callable[[str], object]:
    """PyJWT with the key ready and the checks that it has, as a careful service calls it."""
    key = tokens.public_key(algorithm)
    return lambda token: jwt.decode(
        token,
        key,
        algorithms=[algorithm],
        issuer=tokens.ISSUER,
        audience=tokens.AUDIENCE,
        options={"require": _REQUIRED},
    )


def _hot(count: int) -> float:
    """Microseconds for a token that was seen before, each time in a new string, as requests bring it."""
    verifier = tokens.verifier()
    minted = tokens.mint("ES256", min(count, 500))
    for token in minted:
        verifier.verify(token)
    copies = [token.encode().decode() for _ in range(_COPIES) for token in minted]
    return turns.microseconds({"hot": verifier.verify}, copies)["hot"]


def _tokens_per_second(threads: int, count: int) -> float:
    """All threads share a verifier and begin together; each has tokens of its own."""
    verifier = tokens.verifier()
    begin = threading.Barrier(threads + 1)
    shares = [tokens.mint("ES256", count) for _ in range(threads)]
    workers = [threading.Thread(target=_verify_all, args=(verifier, share, begin)) for share in shares]
    for worker in workers:
        worker.start()
    begin.wait()
    began = time.perf_counter()
    for worker in workers:
        worker.join()
    return threads * count / (time.perf_counter() - began)


def _verify_all(verifier: Verifier, share: Sequence[str], begin: threading.Barrier) -> None:
    begin.wait()
    for token in share:
        verifier.verify(token)


BENCHMARK = Benchmark(name="verifying", measures=tuple(_measures()), prepare=_prepare)

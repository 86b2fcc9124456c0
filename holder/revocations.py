"""Which of the tokens that are held here have ended before their time, as the issuer's status list says.

The list is followed by the verifier's own code, in one thread for each issuer, as long as somebody holds a
token of it. Where no list can be read nothing is said of any token: the issuer is away, it has another URL
here than the `iss` of its tokens, or the clock here disagrees with its own.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from threading import Lock, Timer
from weakref import WeakValueDictionary

from holder import credentials
from verifier import StatusReference, Token, TokenError, Trust
from verifier.refresh import Refresher

_SOON_SECONDS = 1.0
"""What is over by then, or has its start still before it, is not made slower."""


def watch(raw: str, issuer: str | None) -> Callable[[], bool]:
    """What says whether this token has ended, if it is one of the issuer. Never waits for the network."""
    try:
        token = Token.from_claims(credentials.parse_jwt(raw).unverified_claims)
    except TokenError:
        return _never
    reference = token.status
    if issuer is None or token.issuer != issuer or reference is None:
        return _never
    followed = _follow(issuer)
    return lambda: followed.has_ended(reference)


def _never() -> bool:
    return False


class _Followed:
    """An issuer's status list, kept fresh in the background."""

    def __init__(self, issuer: str) -> None:
        self._trust = Trust(issuer)
        refresher = Refresher(self._trust)
        soon = Timer(_SOON_SECONDS, refresher.start, kwargs={"wait": 0})
        soon.daemon = True
        weakref.finalize(self, _end, soon, refresher)
        soon.start()

    def has_ended(self, token: StatusReference) -> bool:
        signed = self._trust.lists.get(token.uri)
        # An index may be another token's when the list has expired.
        if signed is None or time.time() >= signed.content.expires_at:
            return False
        try:
            return signed.content.status(token.index) != 0
        except IndexError:
            return False


def _end(soon: Timer, refresher: Refresher) -> None:
    soon.cancel()
    refresher.close()


_followed: WeakValueDictionary[str, _Followed] = WeakValueDictionary()
_one_at_a_time = Lock()


def _follow(issuer: str) -> _Followed:
    with _one_at_a_time:
        followed = _followed.get(issuer)
        if followed is None:
            followed = _followed[issuer] = _Followed(issuer)
        return followed

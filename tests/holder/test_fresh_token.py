"""A token that stays fresh: when the next one is asked for, by whom, and what happens where none comes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from holder import fresh_token
from holder.answers import IssuedToken
from holder.errors import HolderError, SignInNeeded, Throttled, Unreachable
from holder.fresh_token import MAX_PAUSE_SECONDS, PAUSE_SECONDS, SHORT_PAUSE_SECONDS, FreshToken

HOUR = 3600


class Issuer:
    """Gives numbered tokens, and a clock."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.asked: list[str | None] = []
        self.trouble: HolderError | None = None
        self.life = HOUR
        self.before_answering: Callable[[], object] = bool

    def ask(self, refused: str | None) -> IssuedToken:
        self.asked.append(refused)
        self.before_answering()
        if self.trouble is not None:
            raise self.trouble
        return IssuedToken(
            access_token=f"t{len(self.asked)}", token_type="Bearer", expires_in=self.life, scope=""
        )


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def token(issuer: Issuer) -> FreshToken:
    return FreshToken(issuer.ask, lambda: issuer.now)


AWAY = Unreachable("The issuer did not answer", code="unreachable")


def test_the_next_one_comes_at_four_fifths_of_its_life(issuer: Issuer, token: FreshToken) -> None:
    assert token() == "t1"
    issuer.now += 0.8 * HOUR - 1
    assert (token(), token.get().expires_in) == ("t1", 0.2 * HOUR + 1)
    issuer.now += 1
    assert (token(), token()) == ("t2", "t2")
    assert issuer.asked == [None, None]


def test_a_clock_that_goes_back_keeps_no_old_token_in_use(issuer: Issuer, token: FreshToken) -> None:
    assert token() == "t1"
    issuer.now -= 2 * HOUR
    assert (token(), token.get().expires_in) == ("t2", HOUR), "nobody knows how old the first one is"
    issuer.trouble = AWAY
    issuer.now += 0.9 * HOUR
    assert token() == "t2", "old is not dead"
    issuer.trouble = None
    issuer.now -= HOUR
    assert token() == "t4", "and no pause is longer than it was meant to be"


def test_threads_that_ask_at_once_get_the_same_one(issuer: Issuer, token: FreshToken) -> None:
    everybody = Barrier(8)

    def ask() -> str:
        everybody.wait()
        return token()

    with ThreadPoolExecutor(8) as pool:
        assert {each.result() for each in [pool.submit(ask) for _ in range(8)]} == {"t1"}
    assert issuer.asked == [None]


def test_threads_whose_token_was_refused_ask_once(issuer: Issuer, token: FreshToken) -> None:
    assert token() == "t1"
    everybody = Barrier(8)

    def ask() -> str:
        everybody.wait()
        return token.get(refused="t1").access_token

    with ThreadPoolExecutor(8) as pool:
        assert {each.result() for each in [pool.submit(ask) for _ in range(8)]} == {"t2"}
    assert issuer.asked == [None, "t1"]


def test_who_has_a_good_one_does_not_wait_for_the_next(issuer: Issuer, token: FreshToken) -> None:
    """The one thread that found it old asks; what others have at hand is looked at without a lock."""
    token()
    asking, go_on = Event(), Event()

    def wait() -> None:
        asking.set()
        go_on.wait(20)

    issuer.before_answering = wait
    with ThreadPoolExecutor(1) as pool:
        refresh = pool.submit(token.get, "t1")
        assert asking.wait(20)
        assert token.at_hand() is not None
        go_on.set()
        assert refresh.result().access_token == "t2"


def test_a_service_that_refuses_everything_brings_no_flood_to_the_issuer(
    issuer: Issuer, token: FreshToken
) -> None:
    last = token()
    for _ in range(100):
        last = token.get(refused=last).access_token
    assert issuer.asked == [None, "t1"]
    issuer.now += PAUSE_SECONDS
    assert token.get(refused=last).access_token == "t3"


def test_an_old_one_is_good_while_the_issuer_is_away(issuer: Issuer, token: FreshToken) -> None:
    token()
    issuer.now += 0.9 * HOUR
    issuer.trouble = AWAY
    assert [token() for _ in range(5)] == ["t1"] * 5
    assert len(issuer.asked) == 2, "it is asked again after a pause"
    issuer.now += PAUSE_SECONDS
    issuer.trouble = None
    assert token() == "t3"


BUSY = {
    "it is away": (AWAY, PAUSE_SECONDS),
    "500": (Unreachable("It cannot serve", code="http_500"), PAUSE_SECONDS),
    "503, for a while": (Unreachable("It cannot serve", code="x", retry_after=25), 25),
    "429": (Throttled("It was asked too often", code="slow_down"), PAUSE_SECONDS),
    "429, for a while": (Throttled("It was asked too often", code="slow_down", retry_after=30), 30),
    "429, for a day": (Throttled("It was asked too often", code="x", retry_after=86400), MAX_PAUSE_SECONDS),
    "429, for no time": (Throttled("It was asked too often", code="x", retry_after=0), PAUSE_SECONDS),
}


@pytest.mark.parametrize("name", BUSY)
def test_it_is_asked_again_when_it_wants_to_be_and_the_old_one_is_good_meanwhile(
    issuer: Issuer, token: FreshToken, name: str
) -> None:
    trouble, pause = BUSY[name]
    token()
    issuer.now += 0.8 * HOUR
    issuer.trouble = trouble
    assert (token(), token(), len(issuer.asked)) == ("t1", "t1", 2)
    issuer.now += pause - 1
    assert (token(), len(issuer.asked)) == ("t1", 2)
    issuer.now += 1
    issuer.trouble = None
    assert token() == "t3"


@pytest.mark.parametrize("name", BUSY)
def test_without_a_good_one_its_trouble_is_told_and_it_is_asked_when_it_wants_to_be(
    issuer: Issuer, token: FreshToken, name: str
) -> None:
    trouble, _ = BUSY[name]
    pause = min(max(trouble.retry_after or 0, SHORT_PAUSE_SECONDS), MAX_PAUSE_SECONDS)
    issuer.trouble = trouble
    for passed, left in ((0.0, pause), (pause / 2, pause / 2), (pause / 4, pause / 4)):
        issuer.now += passed
        with pytest.raises(type(trouble)) as raised:
            token()
        told = raised.value
        assert (str(told), told.code, told.retry_after) == (str(trouble), trouble.code, left)
    assert len(issuer.asked) == 1
    issuer.now += pause / 4
    issuer.trouble = None
    assert token() == "t2", "and nobody waits for what can be had"


REFUSALS = {
    "the job has ended": SignInNeeded("Refused", "it has ended", code="invalid_token", request_id="r1"),
    "nothing remains": HolderError("Refused", "no scope", code="invalid_scope", request_id="r2"),
    "nobody is signed in": SignInNeeded("You are not signed in", code="no_credential"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_who_is_refused_asks_no_more_for_a_while(issuer: Issuer, token: FreshToken, name: str) -> None:
    """A job that goes on asking after its end would be taken for somebody who guesses."""
    refusal = REFUSALS[name]
    token()
    issuer.now += 0.9 * HOUR
    issuer.trouble = refusal
    pause = PAUSE_SECONDS if refusal.request_id else SHORT_PAUSE_SECONDS
    for passed in (0.0, pause / 2):
        issuer.now += passed
        for _ in range(3):
            with pytest.raises(type(refusal), match=str(refusal)):
                token()
    assert len(issuer.asked) == 2
    issuer.now += pause / 2
    issuer.trouble = None
    assert token() == "t3"


class Ended:
    """The issuer's list of what has ended."""

    def __init__(self) -> None:
        self.tokens: set[str] = set()

    def watch(self, raw: str) -> Callable[[], bool]:
        return lambda: raw in self.tokens


@pytest.fixture
def ended() -> Ended:
    return Ended()


@pytest.fixture
def watched(issuer: Issuer, ended: Ended) -> FreshToken:
    return FreshToken(issuer.ask, lambda: issuer.now, ended.watch)


def test_one_that_has_ended_is_not_handed_out_again(
    issuer: Issuer, watched: FreshToken, ended: Ended
) -> None:
    for number in (1, 2, 3):
        assert (watched(), watched()) == (f"t{number}", f"t{number}")
        ended.tokens.add(f"t{number}")
        assert watched.at_hand() is None
    assert watched() == "t4"
    assert issuer.asked == [None, "t1", "t2", "t3"], "what has ended is named, so that it does not come again"


def test_one_that_has_ended_is_no_good_while_the_issuer_is_away(
    issuer: Issuer, watched: FreshToken, ended: Ended
) -> None:
    watched()
    ended.tokens.add("t1")
    issuer.trouble = AWAY
    for _ in range(3):
        with pytest.raises(Unreachable):
            watched()
    assert len(issuer.asked) == 2
    issuer.now += SHORT_PAUSE_SECONDS
    issuer.trouble = None
    assert watched() == "t3"


def test_one_that_ends_within_a_pause_is_not_handed_out(watched: FreshToken, ended: Ended) -> None:
    watched()
    assert watched.get(refused="t1").access_token == "t2"
    ended.tokens.add("t2")
    assert watched() == "t3"


def test_what_somebody_else_keeps_fresh_is_waited_for(ended: Ended) -> None:
    """A file: whoever writes it hears of the end when we do."""
    kept = iter(["own", "own", "own", "another"])
    token = FreshToken(
        lambda _: IssuedToken(access_token=next(kept), token_type="Bearer", expires_in=HOUR),
        watch=ended.watch,
    )
    assert token() == "own"
    ended.tokens.add("own")
    assert token() == "another"


def test_a_token_that_has_ended_and_leads_to_no_other_is_told_of(
    ended: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fresh_token, "_OTHERS_SECONDS", 0)
    own = IssuedToken(access_token="own", token_type="Bearer", expires_in=HOUR)
    token = FreshToken(lambda _: own, watch=ended.watch)
    assert token() == "own"
    ended.tokens.add("own")
    with pytest.raises(SignInNeeded) as raised:
        token()
    assert raised.value.code == "token_revoked"


def test_a_dead_one_is_no_good_wherever_the_issuer_is(issuer: Issuer, token: FreshToken) -> None:
    token()
    issuer.now += HOUR
    issuer.trouble = AWAY
    with pytest.raises(Unreachable):
        token()


def test_within_the_pause_a_token_that_dies_is_not_handed_out(issuer: Issuer, token: FreshToken) -> None:
    issuer.life = 20
    token()
    issuer.now += 16
    issuer.trouble = AWAY
    assert token() == "t1"
    issuer.now += 4
    with pytest.raises(Unreachable):
        token()


def test_a_refusal_of_the_issuer_is_told_at_once(issuer: Issuer, token: FreshToken) -> None:
    token()
    issuer.now += 0.9 * HOUR
    issuer.trouble = SignInNeeded("The job has ended", code="invalid_token")
    with pytest.raises(SignInNeeded):
        token()


def test_a_refused_one_is_not_handed_out_again_for_want_of_another(issuer: Issuer, token: FreshToken) -> None:
    token()
    issuer.trouble = AWAY
    with pytest.raises(Unreachable):
        token.get(refused="t1")


@pytest.mark.parametrize("step", [-5 * HOUR, 5 * HOUR])
def test_a_clock_that_jumps_leads_to_a_new_one_at_the_latest_when_it_is_refused(
    issuer: Issuer, token: FreshToken, step: float
) -> None:
    first = token()
    issuer.now += step
    assert token.get(refused=first).access_token == "t2"

"""A device code waits ten minutes for one decision, is asked about at its pace, and is good once."""

from __future__ import annotations

import pytest
from sqlmodel import select

from issuer.store import device_codes, user_grants, users
from issuer.store.database import Database, Transaction
from issuer.store.device_codes import APPROVED, DENIED
from issuer.store.tables import DeviceCode, Principal, UserGrant
from issuer.store.user_grants import SESSION, SIGN_IN, Authentication, Place
from tests.issuer.store import databases
from tests.issuer.store.databases import HASH_KEY, NOW, count, execute, revoked, write

database = databases.database
CLIENT, OTHER = "hma_app", "hma_other"
ADDRESS = "192.0.2.7"
SESSION_SECONDS = 1000


def add(tx: Transaction) -> str:
    row = DeviceCode(
        hash=b"",
        user_code="",
        client_id=CLIENT,
        scope="data:get@*",
        audience="urn:hourmark:services",
        address=ADDRESS,
        user_agent="a television",
        created_at=0,
        expires_at=0,
        interval=0,
    )
    return device_codes.add(tx, row, HASH_KEY.key)


@pytest.fixture
def code(database: Database) -> str:
    """What the device keeps."""
    with write(database) as tx:
        user = users.create(tx, "ada").principal
        make_grant(tx, user, SESSION, "console")
        return add(tx)


def make_grant(tx: Transaction, user: Principal, kind: str, client_id: str) -> UserGrant:
    return user_grants.create(
        tx,
        kind,
        user,
        client_id,
        scope=None,
        authentication=Authentication(NOW - 60, ("pwd", "otp")),
        place=Place("127.0.0.1", "tests"),
        expires_at=NOW + SESSION_SECONDS,
    )


def session_of(tx: Transaction) -> UserGrant:
    """The one in which ada decides."""
    (session,) = user_grants.of_user(tx.session, users.get(tx.session, "ada").principal, kind=SESSION)
    return session


def user_code(database: Database) -> str:
    with database.read() as session:
        return session.exec(select(DeviceCode.user_code)).one()


def decide(database: Database, decision: str, *, after: int = 0) -> bool:
    with write(database, NOW + after) as tx:
        row = tx.session.exec(select(DeviceCode)).one()
        return device_codes.decide(tx, row, decision, session_of(tx))


def poll(database: Database, code: str, client_id: str = CLIENT, *, after: int = 0) -> str:
    """What the device hears; "" if it gets its tokens."""
    with write(database, NOW + after) as tx:
        polled = device_codes.poll(tx, code, client_id, HASH_KEY.key)
        return polled if isinstance(polled, str) else ""


@pytest.mark.parametrize(("decision", "heard"), [(APPROVED, ""), (DENIED, "access_denied")])
def test_it_hears_what_was_decided(database: Database, code: str, decision: str, heard: str) -> None:
    assert poll(database, code) == "authorization_pending"
    assert decide(database, decision)
    assert poll(database, code, after=1) == heard


def test_what_was_approved_says_who_did_and_how(database: Database, code: str) -> None:
    decide(database, APPROVED)
    with write(database) as tx:
        row = device_codes.poll(tx, code, CLIENT, HASH_KEY.key)
        assert isinstance(row, DeviceCode)
        assert row.user_id == users.get(tx.session, "ada").principal.id
        assert (row.authenticated_at, row.methods, row.scope) == (NOW - 60, "pwd otp", "data:get@*")


def test_of_a_session_that_was_ended(database: Database, code: str) -> None:
    decide(database, APPROVED)
    with write(database) as tx:
        user_grants.end(tx, [session_of(tx)])
    assert [poll(database, code) for _ in range(2)] == ["access_denied", "invalid_grant"]


def test_of_a_session_that_expired_and_was_not_swept_away_yet(database: Database, code: str) -> None:
    decide(database, APPROVED)
    with write(database) as tx:
        session = session_of(tx)
        session.expires_at = NOW + 1
        tx.session.add(session)
    assert poll(database, code, after=1) == "access_denied"


def test_of_no_session_that_is_known(database: Database, code: str) -> None:
    """As those that were approved before their sessions were kept."""
    decide(database, APPROVED)
    execute(database, "UPDATE device_code SET session_id = NULL")
    assert poll(database, code) == "access_denied"


def test_it_is_good_once(database: Database, code: str) -> None:
    decide(database, APPROVED)
    assert [poll(database, code) for _ in range(3)] == ["", "invalid_grant", "invalid_grant"]


def become(database: Database, code: str) -> int:
    """Fetches the approved one for a sign-in; returns that one's status index."""
    with write(database) as tx:
        row = device_codes.poll(tx, code, CLIENT, HASH_KEY.key)
        assert isinstance(row, DeviceCode)
        sign_in = make_grant(tx, users.get(tx.session, "ada").principal, SIGN_IN, CLIENT)
        device_codes.became(tx, row, sign_in)
        return sign_in.status_index


@pytest.mark.parametrize("client_id", [CLIENT, OTHER])
@pytest.mark.parametrize("after", [1, 86399])
def test_coming_again_it_ends_what_it_became(
    database: Database, code: str, client_id: str, after: int
) -> None:
    decide(database, APPROVED)
    index = become(database, code)
    assert revoked(database) == set()
    assert poll(database, code, client_id, after=after) == "invalid_grant"
    assert revoked(database) == {index}
    with database.read() as session:
        assert user_grants.by_index(session, index) is None
    assert poll(database, code, client_id, after=after) == "invalid_grant", "there is nothing left to end"


def test_it_is_decided_once(database: Database, code: str) -> None:
    assert [decide(database, decision) for decision in (DENIED, APPROVED)] == [True, False]
    assert poll(database, code) == "access_denied"


@pytest.mark.parametrize(
    ("times", "heard"),
    [
        ([0, 5, 10], "... ... ..."),
        ([0, 1], "... slow"),
        ([0, 1, 6], "... slow slow"),
        ([0, 1, 11], "... slow ..."),
        ([0, 1, 2, 3], "... slow slow slow"),
        # The longer interval stays, and each early question makes it longer again: 5, 10, 15.
        ([0, 1, 2, 17, 32, 42], "... slow slow ... ... slow"),
    ],
)
def test_the_interval_grows_with_each_question_that_comes_too_early(
    database: Database, code: str, times: list[int], heard: str
) -> None:
    words = {"authorization_pending": "...", "polls_too_often": "slow"}
    assert " ".join(words[poll(database, code, after=after)] for after in times) == heard


def test_asking_too_often_costs_no_approval(database: Database, code: str) -> None:
    for after in (0, 1):
        poll(database, code, after=after)
    decide(database, APPROVED)
    assert poll(database, code, after=2) == ""


@pytest.mark.parametrize(("after", "heard"), [(599, "authorization_pending"), (600, "expired_token")])
def test_it_waits_ten_minutes(database: Database, code: str, after: int, heard: str) -> None:
    assert poll(database, code, after=after) == heard


def test_nobody_approves_it_after_that(database: Database, code: str) -> None:
    assert not decide(database, APPROVED, after=600)
    with database.read() as session:
        assert device_codes.waiting(session, user_code(database), NOW + 600) is None
    assert poll(database, code, after=600) == "expired_token"


def test_approved_and_not_fetched_in_time(database: Database, code: str) -> None:
    decide(database, APPROVED, after=599)
    assert poll(database, code, after=600) == "expired_token"


def test_another_clients_question_changes_nothing(database: Database, code: str) -> None:
    assert poll(database, code, OTHER) == "invalid_grant"
    assert poll(database, code) == "authorization_pending", "it was not asked about too early"
    decide(database, APPROVED)
    assert poll(database, code, OTHER) == "invalid_grant"
    assert poll(database, code) == ""


@pytest.mark.parametrize("text", ["", "hmd_", "hmd_" + "0" * 38, "hmc_" + "0" * 38, "\0"])
@pytest.mark.usefixtures("code")
def test_what_is_no_device_code(database: Database, text: str) -> None:
    assert poll(database, text) == "invalid_grant"


def test_a_user_code_is_read_however_it_is_typed(database: Database, code: str) -> None:
    kept = user_code(database)
    shown = device_codes.shown(kept)
    assert code not in shown
    assert (len(shown), shown[4]) == (9, "-")
    for text in (shown, shown.lower(), kept, f"  {kept[:4]} {kept[4:]}\t", "-".join(kept)):
        assert device_codes.typed(text) == kept
    with database.read() as session:
        assert device_codes.waiting(session, device_codes.typed(f"{shown}B"), NOW) is None


def test_what_was_decided_waits_no_more(database: Database, code: str) -> None:
    def waiting() -> tuple[bool, int]:
        with database.read() as session:
            found = device_codes.waiting(session, kept, NOW)
            return found is not None, device_codes.count_waiting(session, ADDRESS, NOW)

    kept = user_code(database)
    assert waiting() == (True, 1)
    decide(database, DENIED)
    assert waiting() == (False, 0)
    assert poll(database, code) == "access_denied"


def test_who_waits_is_counted_by_address(database: Database) -> None:
    with write(database) as tx:
        for _ in range(3):
            add(tx)
        assert device_codes.count_waiting(tx.session, ADDRESS, NOW) == 3
        assert device_codes.count_waiting(tx.session, "192.0.2.8", NOW) == 0
        assert device_codes.count_waiting(tx.session, ADDRESS, NOW + 600) == 0


def test_only_its_hash_is_kept_and_not_for_ever(database: Database, code: str) -> None:
    with database.read() as session:
        assert code.encode() not in session.exec(select(DeviceCode.hash)).one()
    for after, is_kept in ((600 + 86399, True), (600 + 86400, False)):
        with write(database, NOW + after) as tx:
            assert device_codes.has_old(tx.session, tx.now) is not is_kept
            device_codes.forget_old(tx)
        assert count(database, "device_code") == is_kept


def test_wrong_codes_are_counted_by_who_typed_them_for_the_life_of_a_code(database: Database) -> None:
    def locked(*who: str, now: int = NOW) -> int | None:
        with database.read() as session:
            return device_codes.locked_until(session, who, now)

    for seconds in range(device_codes.MAX_WRONG):
        assert locked("user:ada", "address:x") is None
        with write(database, now=NOW + seconds) as tx:
            device_codes.note_wrong(tx, ("user:ada", f"address:{seconds}"))
    until = NOW + device_codes.LIFETIME
    assert (locked("user:ada", now=NOW + 5), locked("address:1", "user:ada", now=NOW + 5)) == (until, until)
    assert (locked("user:eve", "address:1"), locked("user:ada", now=until)) == (None, None)
    with write(database, now=until + 10) as tx:
        device_codes.forget_old(tx)
    assert count(database, "wrong_user_code") == 0

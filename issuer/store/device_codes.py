"""Devices that wait for somebody to approve them elsewhere (RFC 8628)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from sqlmodel import Session, col, delete, func, select, update

from issuer.store import user_grants
from issuer.store.database import Transaction
from issuer.store.tables import DeviceCode, Principal, UserGrant, WrongUserCode
from keys import Handle, handle_hash

LIFETIME = 600
"""Seconds, also for the person to find a browser."""
_KEPT_SECONDS = 86400
"""How long a code that comes again still ends what it became."""
MAX_WRONG = 5
"""Wrong codes of one user, or from one address, in the life of a code (RFC 8628 section 5.1)."""
INTERVAL = 5
"""Seconds between two questions of a device; one more of it for each that came too early."""
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""Consonants spell no word (RFC 8628 section 6.1)."""
_CHARACTERS = 8
_TOLERANCE = 1
"""Seconds: the times here are whole ones."""
APPROVED, DENIED = "approved", "denied"


def add(tx: Transaction, code: DeviceCode, hash_key: bytes) -> str:
    """Keeps a new code, of which everything else is filled in; returns the device's text."""
    text = Handle.DEVICE_CODE.generate()
    code.hash, code.interval = handle_hash(text, hash_key), INTERVAL
    code.created_at, code.expires_at = tx.now, tx.now + LIFETIME
    code.user_code = _new_user_code(tx.session)
    tx.session.add(code)
    tx.session.flush()
    return text


def shown(user_code: str) -> str:
    """As people read it."""
    half = _CHARACTERS // 2
    return f"{user_code[:half]}-{user_code[half:]}"


def typed(text: str) -> str:
    """What somebody typed, without case, spaces and hyphens."""
    return "".join(letter for letter in text.upper() if letter in _LETTERS)[: _CHARACTERS + 1]


def waiting(session: Session, user_code: str, now: int) -> DeviceCode | None:
    """The one that nobody has decided about yet."""
    found = select(DeviceCode).where(
        DeviceCode.user_code == user_code, col(DeviceCode.decision).is_(None), DeviceCode.expires_at > now
    )
    return session.exec(found).first()


def count_waiting(session: Session, address: str, now: int) -> int:
    """How many wait that began at this address."""
    found = select(func.count()).where(
        DeviceCode.address == address, col(DeviceCode.decision).is_(None), DeviceCode.expires_at > now
    )
    return session.exec(found).one()


def decide(tx: Transaction, code: DeviceCode, decision: str, session: UserGrant) -> bool:
    """session: the browser's, of who decides. False if it was decided, or has expired, meanwhile."""
    return bool(
        tx.session.exec(
            update(DeviceCode)
            .where(
                col(DeviceCode.hash) == code.hash,
                col(DeviceCode.decision).is_(None),
                col(DeviceCode.expires_at) > tx.now,
            )
            .values(
                decision=decision,
                user_id=session.user_id,
                session_id=session.id,
                authenticated_at=session.authenticated_at,
                methods=session.methods,
            )
        ).rowcount
    )


def poll(tx: Transaction, text: str, client_id: str, hash_key: bytes) -> DeviceCode | str:
    """The approved code, which is used up; else the code of the refusal (RFC 8628 section 3.5).

    One that was used before ends the sign-in that it became, whoever presents it.
    """
    code = (
        tx.session.get(DeviceCode, handle_hash(text, hash_key)) if Handle.DEVICE_CODE.is_whole(text) else None
    )
    if code is not None and code.used_at is not None:
        _end_sign_in(tx, code)
        return "invalid_grant"
    if code is None or code.client_id != client_id:
        return "invalid_grant"
    if code.expires_at <= tx.now:
        return "expired_token"
    if code.decision == DENIED:
        return "access_denied"
    if code.decision is None:
        return _wait(tx, code)
    used = tx.session.exec(
        update(DeviceCode)
        .where(col(DeviceCode.hash) == code.hash, col(DeviceCode.used_at).is_(None))
        .values(used_at=tx.now)
    ).rowcount
    if not used:
        return "invalid_grant"
    return code if _is_signed_in(tx, code) else "access_denied"


def became(tx: Transaction, code: DeviceCode, row: UserGrant) -> None:
    """Remembers the sign-in, for when the code comes again."""
    code.grant_id = row.id
    tx.session.add(code)


def note_wrong(tx: Transaction, who: Iterable[str]) -> None:
    """These typed a code under which nothing waits."""
    tx.session.add_all(WrongUserCode(who=each, at=tx.now) for each in who)


def locked_until(session: Session, who: Iterable[str], now: int) -> int | None:
    """Unix seconds until which one of these has had its tries in the life of a code; None if none has."""
    for each in who:
        tries = select(WrongUserCode.at).where(WrongUserCode.who == each, WrongUserCode.at > now - LIFETIME)
        latest = session.exec(tries.order_by(col(WrongUserCode.at).desc()).limit(MAX_WRONG)).all()
        if len(latest) == MAX_WRONG:
            return latest[-1] + LIFETIME
    return None


def has_old(session: Session, now: int) -> bool:
    """Whether the function below would find one."""
    codes = select(DeviceCode.hash).where(col(DeviceCode.expires_at) <= now - _KEPT_SECONDS)
    tries = select(WrongUserCode.id).where(col(WrongUserCode.at) <= now - LIFETIME)
    return any(session.exec(old.limit(1)).first() is not None for old in (codes, tries))


def forget_old(tx: Transaction) -> None:
    tx.session.execute(delete(DeviceCode).where(col(DeviceCode.expires_at) <= tx.now - _KEPT_SECONDS))
    tx.session.execute(delete(WrongUserCode).where(col(WrongUserCode.at) <= tx.now - LIFETIME))


def _wait(tx: Transaction, code: DeviceCode) -> str:
    is_early = code.polled_at is not None and tx.now - code.polled_at < code.interval - _TOLERANCE
    if is_early:
        code.interval += INTERVAL
    code.polled_at = tx.now
    tx.session.add(code)
    return "polls_too_often" if is_early else "authorization_pending"


def _end_sign_in(tx: Transaction, code: DeviceCode) -> None:
    row = None if code.grant_id is None else tx.session.get(UserGrant, code.grant_id)
    if row is not None:
        user_grants.end(tx, [row])
        user = tx.session.get_one(Principal, row.user_id)
        tx.audit("sign-in:reuse", user.name, client_id=code.client_id)


def _is_signed_in(tx: Transaction, code: DeviceCode) -> bool:
    """Whether the session in which it was approved goes on."""
    session = None if code.session_id is None else tx.session.get(UserGrant, code.session_id)
    return session is not None and (session.expires_at or tx.now + 1) > tx.now


def _new_user_code(session: Session) -> str:
    while True:
        user_code = "".join(secrets.choice(_LETTERS) for _ in range(_CHARACTERS))
        if session.exec(select(DeviceCode.hash).where(DeviceCode.user_code == user_code)).first() is None:
            return user_code

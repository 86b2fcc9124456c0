"""Hashing in turn: few at once, and no endless line."""

from __future__ import annotations

import anyio
import pytest

from issuer.denials import Denial
from issuer.signing_in import passwords

pytestmark = pytest.mark.anyio


async def test_a_line_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "MAX_WAITING", 1)
    slots = anyio.CapacityLimiter(1)
    monkeypatch.setattr(passwords, "_SLOTS", slots)
    told: list[str] = []

    async def wait() -> None:
        told.append(await passwords.hashed("in time"))

    async with anyio.create_task_group() as group:
        slots.acquire_on_behalf_of_nowait("somebody before")
        group.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(Denial) as refused:
            await passwords.hashed("too late")
        assert refused.value.code == "temporarily_unavailable"
        slots.release_on_behalf_of("somebody before")
    assert told[0].startswith("$argon2id$v=19$m=65536,t=3,p=4$")

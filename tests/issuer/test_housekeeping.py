"""What has expired is deleted, also where nobody exchanges a role key and nobody signs in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from sqlmodel import SQLModel, func, select

from issuer.housekeeping import tidy
from issuer.service import open_service
from issuer.store import client_assertions, jobs, principals
from issuer.store.database import Transaction
from issuer.store.tables import ClientAssertion, DeviceCode, JobRow
from tests.browsers import Inside, inside
from tests.running_issuer import start_issuer

pytestmark = pytest.mark.anyio
LONG_AGO = 1_700_000_000


@pytest.fixture
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """The data of an issuer that does not run any more."""
    with start_issuer(tmp_path_factory.mktemp("tidy")) as issuer:
        pass
    with inside(issuer) as opened:
        yield opened


def add_assertion(tx: Transaction) -> None:
    client_assertions.take(tx, "hma_app", "once", LONG_AGO)


def add_device(tx: Transaction) -> None:
    tx.session.add(
        DeviceCode(
            hash=b"x",
            user_code="BBBBBBBB",
            client_id="hma_app",
            scope="",
            audience="",
            address="192.0.2.7",
            user_agent="",
            created_at=LONG_AGO,
            expires_at=LONG_AGO,
            interval=5,
        )
    )


def add_job(tx: Transaction) -> None:
    admin = principals.get(tx.session, "user:admin")
    jobs.create(tx, admin, "job_old", name="", labels={}, ticket_hash=b"x", ends_at=LONG_AGO)


@pytest.mark.parametrize(
    ("add", "table"),
    [(add_assertion, ClientAssertion), (add_device, DeviceCode), (add_job, JobRow)],
)
async def test_alone_it_is_deleted(
    there: Inside, add: Callable[[Transaction], None], table: type[SQLModel]
) -> None:
    with there.write("tests") as tx:
        add(tx)
    service = await open_service(there.settings, there.database, there.kek)
    try:
        await tidy(service, int(time.time()))
    finally:
        await service.feed.close()
    with there.database.read() as reading:
        assert reading.exec(select(func.count()).select_from(table)).one() == 0


async def test_a_job_that_ended_can_be_looked_at_for_a_while(there: Inside) -> None:
    now = int(time.time())
    with there.write("tests") as tx:
        admin = principals.get(tx.session, "user:admin")
        for name, ago in (("young", jobs.KEPT_SECONDS - 60), ("old", jobs.KEPT_SECONDS), ("running", -60)):
            jobs.create(
                tx,
                admin,
                f"job_{name}",
                name="",
                labels={},
                ticket_hash=name.encode(),
                ends_at=now - ago,
            )
    service = await open_service(there.settings, there.database, there.kek)
    try:
        await tidy(service, now)
    finally:
        await service.feed.close()
    with there.database.read() as reading:
        assert set(reading.exec(select(JobRow.id))) == {"job_young", "job_running"}

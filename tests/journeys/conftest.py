"""Real issuers on real databases, and what was measured with them.

The stories of a file share an issuer and may come in any order: each makes roles of its own. A story that
breaks an issuer or a database starts one of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from keys import base64url
from tests import doors
from tests.issuer.http.world import World
from tests.journeys.client import Client
from tests.journeys.terminal import Terminal
from tests.postgresql import PostgresServer
from tests.postgresql_proxy import PostgresProxy
from tests.running_issuer import RunningIssuer, start_issuer

Measured = Callable[[str, float], None]
NewDatabase = Callable[[], dict[str, str]]
ONLY_POSTGRESQL = pytest.mark.parametrize("hosts", ["postgresql"], indirect=True, scope="session")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes a minute; runs where HOURMARK_TEST_NO_SKIP=1")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("slow") and os.environ.get("HOURMARK_TEST_NO_SKIP") != "1":
        pytest.skip("takes a minute: set HOURMARK_TEST_NO_SKIP=1")


@pytest.fixture
def measured(record_property: Callable[[str, object], None]) -> Measured:
    """`measured("what", seconds)` is shown when the run ends, slowest first, and kept in its report."""

    def keep(what: str, seconds: float) -> None:
        record_property(f"measured: {what}", f"{seconds:7.3f} s")

    return keep


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest) -> NewDatabase:
    """Makes an empty database, of each kind, and gives the settings that name it."""
    if request.param == "sqlite":
        return dict  # each issuer's own file, in its own folder
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return lambda: {"HOURMARKD_DATABASE_URL": server.create_database()}


@pytest.fixture(scope="module")
def issuer(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIssuer]:
    """The issuer of a file's stories."""
    with start_issuer(tmp_path_factory.mktemp("issuer"), **new_database()) as running:
        yield running


@pytest.fixture(scope="module")
def world(issuer: RunningIssuer) -> Iterator[World]:
    """That issuer, and who manages it."""
    with issuer.http() as admin, issuer.http("") as nobody:
        yield World(issuer, admin, nobody)


@pytest.fixture(scope="module")
def other_process(issuer: RunningIssuer) -> Iterator[RunningIssuer]:
    """A second process of the same issuer: nothing is shared but the database."""
    with issuer.another() as running:
        yield running


@pytest.fixture(scope="session")
def database_url(postgres_server: PostgresServer) -> str:
    """The PostgreSQL database of the hosts, without any proxy."""
    return postgres_server.create_database()


@pytest.fixture(scope="session")
def postgresql_proxy(database_url: str) -> Iterator[PostgresProxy]:
    """Between the hosts and that database."""
    with PostgresProxy(database_url) as proxy:
        yield proxy


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def hosts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[RunningIssuer]]:
    """One issuer in many processes: `serve --workers 2`, and with PostgreSQL two hosts of that kind.

    The hosts share nothing but the database, the key that opens its secrets, and the issuer's name. They are
    slow to start, so all files have the same; no story may leave them worse than it found them.
    """
    first, second = (tmp_path_factory.mktemp("host") for _ in range(2))
    settings = {"HOURMARKD_FAILURES_PER_MINUTE": "100000"} | doors.SETTINGS
    if request.param == "sqlite":
        with start_issuer(first, 2, **settings) as host:
            yield [host]
        return
    proxy: PostgresProxy = request.getfixturevalue("postgresql_proxy")
    # When tests come in another order these hosts are started more than once, on the same database.
    engine = create_engine(request.getfixturevalue("database_url"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    engine.dispose()
    settings |= {"HOURMARKD_DATABASE_URL": proxy.url}
    settings |= {"HOURMARKD_KEY_ENCRYPTION_KEY": base64url.encode(os.urandom(32)).decode()}
    with (
        start_issuer(first, 2, **settings) as host,
        host.another(2, HOURMARKD_DATA_DIR=str(second)) as other,
    ):
        yield [host, other]


@pytest.fixture
def here(issuer: RunningIssuer) -> Iterator[Client]:
    """The issuer, spoken to by its administrator and by whoever has a role key."""
    with Client(issuer) as client:
        yield client


@pytest.fixture
def there(other_process: RunningIssuer) -> Iterator[Client]:
    """The same at the second process."""
    with Client(other_process) as client:
        yield client


@pytest.fixture
def terminal(issuer: RunningIssuer, tmp_path: Path) -> Iterator[Terminal]:
    """A new user's terminal, which knows where the issuer is."""
    with Terminal(tmp_path, HOURMARK_URL=issuer.url) as opened:
        yield opened

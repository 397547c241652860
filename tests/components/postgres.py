"""The PostgreSQL server that tests use: a real one, started once, or the one that is named."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

NAMED = "POSTGRESQL_TEST_SERVER"
"""postgresql://USER:PASSWORD@HOST:PORT/DATABASE of a server to use instead of starting one."""

USER = "postgres"
_SECONDS = 60.0

_numbers = itertools.count()


def _program(name: str) -> str:
    """Return the path of a program of the server, which Debian keeps off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    path = str(found[-1]) if found else shutil.which(name)
    if path is None:
        pytest.fail(f"no {name}: run tests/components/install.sh, or set {NAMED}")
    return path


def _as_user() -> list[str]:
    """Return the words that make a command run as an ordinary user: initdb refuses root.

    SIGINT, a fast shutdown, comes when the tests are killed. setpriv asks for it when it has
    become the other user, because that forgets it.
    """
    other = [f"--reuid={USER}", f"--regid={USER}", "--init-groups"] if os.geteuid() == 0 else []
    return ["setpriv", *other, "--pdeathsig=INT", "--"]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _answers(url: str) -> bool:
    import psycopg

    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


class Server:
    """A server of our own, in a folder that goes with it; it can be started again."""

    def __init__(self) -> None:
        # A socket's path must be short, the other user must get there: not below pytest's folder.
        self._folder = Path(tempfile.mkdtemp(prefix="topgallant-pg-"))
        if os.geteuid() == 0:
            shutil.chown(self._folder, USER, USER)
        self._user = USER if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql://{self._user}@127.0.0.1:{self._port}/postgres"

    def make(self) -> None:
        """Make the files of its databases."""
        words = ["-D", str(self._folder / "data"), "-A", "trust", "-U", self._user]
        words += ["--no-sync", "-E", "UTF8"]
        done = [*_as_user(), _program("initdb"), *words]
        subprocess.run(done, check=True, capture_output=True, cwd="/")

    def start(self) -> None:
        """Start it; returns when it answers."""
        options = [
            "-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c", f"port={self._port}",
            "-c", f"unix_socket_directories={self._folder}", "-c", "max_connections=200",
        ]  # fmt: skip
        with open(self._folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                [*_as_user(), _program("postgres"), "-D", str(self._folder / "data"), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
            )
        limit = time.monotonic() + _SECONDS
        while not _answers(self.url):
            if self._process.poll() is not None or time.monotonic() > limit:
                pytest.fail(f"PostgreSQL: {(self._folder / 'log').read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Break off all connections and end it."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def remove(self) -> None:
        """End it and remove its files."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def _running() -> Iterator[Server]:
    server = Server()
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a server in which databases can be made. It is over when the tests are."""
    if given := os.environ.get(NAMED):
        yield given
        return
    for server in _running():
        yield server.url


@pytest.fixture
def own_postgresql() -> Iterator[Server]:
    """A server that a test may stop and start again; its database is empty."""
    yield from _running()


@pytest.fixture
def postgresql(postgresql_server: str) -> Iterator[str]:
    """The URL of a new, empty database."""
    import psycopg
    from psycopg import sql

    name = f"test_{os.getpid()}_{next(_numbers)}"
    quoted = sql.Identifier(name)
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(quoted))
    yield f"{postgresql_server.rpartition('/')[0]}/{name}"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(quoted))

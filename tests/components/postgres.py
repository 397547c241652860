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


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a server in which databases can be made. It is over when the tests are."""
    if given := os.environ.get(NAMED):
        yield given
        return
    # A socket's path must be short, and the other user must get there: not below pytest's folder.
    folder = Path(tempfile.mkdtemp(prefix="topgallant-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, USER, USER)
    user = USER if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    data, port = folder / "data", _free_port()
    url = f"postgresql://{user}@127.0.0.1:{port}/postgres"
    words = [
        _program("initdb"),
        "-D",
        str(data),
        "-A",
        "trust",
        "-U",
        user,
        "--no-sync",
        "-E",
        "UTF8",
    ]
    try:
        subprocess.run([*_as_user(), *words], check=True, capture_output=True, cwd="/")
        options = [
            "-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c", f"port={port}",
            "-c", f"unix_socket_directories={folder}", "-c", "max_connections=200",
        ]  # fmt: skip
        with open(folder / "log", "wb") as log:
            server = subprocess.Popen(
                [*_as_user(), _program("postgres"), "-D", str(data), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
            )
        try:
            limit = time.monotonic() + _SECONDS
            while not _answers(url):
                if server.poll() is not None or time.monotonic() > limit:
                    pytest.fail(f"PostgreSQL: {(folder / 'log').read_text()[-2000:]}")
                time.sleep(0.02)
            yield url
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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

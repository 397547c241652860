"""A real S3 server: Ceph's object gateway on one node, in memory, for as long as it is used."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import uuid
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from projects.core.errors import InfrastructureError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PROGRAMS = (
    "radosgw",
    "radosgw-admin",
    "ceph",
    "ceph-mon",
    "ceph-osd",
    "ceph-authtool",
    "monmaptool",
    "setpriv",
)
PACKAGES = "radosgw ceph-mon ceph-mgr ceph-osd ceph-mds ceph-common"
"""The Debian packages that have them."""

ACCESS_KEY, SECRET_KEY = "AKTOPGALLANT", "made-up-for-this-server-alone"
MEMORY = 2 * 1024**3
"""Bytes of objects that the server takes, unless told otherwise."""

ENDS_WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""The kernel kills what this starts when we end in whatever way (setpriv(1), prctl(2))."""

_ADMIN = ("radosgw-admin", "-n", "client.rgw.a")
_START_SECONDS = 120
_STOP_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Server:
    """Where the server listens and who may use it."""

    endpoint: str
    access_key: str = ACCESS_KEY
    secret_key: str = SECRET_KEY
    configuration: Path | None = None

    def collect_garbage(self) -> None:
        """Give the memory of deleted objects back now; only a server that runs here can."""
        if self.configuration is not None:
            subprocess.run(
                [*_ADMIN, "--conf", str(self.configuration), "gc", "process", "--include-all"],
                check=True,
                capture_output=True,
                timeout=_START_SECONDS,
            )

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which boto3, aws-cli and we find it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


def missing() -> str:
    """Return which programs are missing and how to install them; empty if none is."""
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    if not absent:
        return ""
    return f"no S3 server: {', '.join(absent)} not found; apt-get install {PACKAGES}"


@contextmanager
def running(directory: Path, memory: int = MEMORY) -> Iterator[Server]:
    """Run the server while the context lasts; `directory` takes its files, a few MB.

    It keeps objects in memory, `memory` bytes at most, takes 15 s to start and 0.4 GB itself.

    Errors
    ------
    InfrastructureError
        A program is missing, with the packages to install; or it doesn't come up.
    """
    if said := missing():
        raise InfrastructureError(said)
    directory.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        yield _Cluster(directory, stack, memory).start()


class _Cluster:
    def __init__(self, directory: Path, stack: ExitStack, memory: int) -> None:
        self._memory = memory
        self._directory = directory
        self._stack = stack
        self._ports = _free_ports(3)
        self._environ = {**os.environ, "CEPH_CONF": str(directory / "ceph.conf")}

    def start(self) -> Server:
        """Start monitor, storage and gateway, each as soon as the one before answers."""
        keyring, monmap = self._directory / "keyring", self._directory / "monmap"
        cluster = str(uuid.uuid4())
        (self._directory / "ceph.conf").write_text(self._configuration(cluster), encoding="utf-8")
        for name in ("mon", "osd", "rgw"):
            (self._directory / name).mkdir()
        everything = [
            "--cap",
            "mon",
            "allow *",
            "--cap",
            "osd",
            "allow *",
            "--cap",
            "mgr",
            "allow *",
        ]
        self._run("ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.",
                  "--cap", "mon", "allow *")  # fmt: skip
        for user in ("client.admin", "client.rgw.a", "osd.0"):
            self._run("ceph-authtool", keyring, "--gen-key", "-n", user, *everything)
        monitor = f"[v2:127.0.0.1:{self._ports[0]},v1:127.0.0.1:{self._ports[1]}]"
        self._run("monmaptool", "--create", "--fsid", cluster, "--addv", "a", monitor, monmap)
        self._run("ceph-mon", "-i", "a", "--mkfs", "--monmap", monmap, "--keyring", keyring)
        self._spawn("ceph-mon", "-f", "-i", "a")
        self._run("ceph", "--connect-timeout", str(_START_SECONDS), "-s")
        storage = str(uuid.uuid4())
        self._run("ceph", "osd", "new", storage)
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", storage)
        self._spawn("ceph-osd", "-f", "-i", "0")
        _wait("the storage", lambda: "1 up" in self._run("ceph", "osd", "stat"))
        self._spawn("radosgw", "-f", "-n", "client.rgw.a")
        _wait("the gateway", lambda: _listens(self._ports[2]))
        self._run(*_ADMIN, "user", "create", "--uid=topgallant",
                  "--display-name=topgallant", f"--access-key={ACCESS_KEY}",
                  f"--secret-key={SECRET_KEY}")  # fmt: skip
        address = f"http://127.0.0.1:{self._ports[2]}"
        return Server(address, configuration=self._directory / "ceph.conf")

    def _configuration(self, cluster: str) -> str:
        here = self._directory
        first, second, gateway = self._ports
        return f"""[global]
fsid = {cluster}
mon_host = [v2:127.0.0.1:{first},v1:127.0.0.1:{second}]
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
mon_warn_on_insecure_global_id_reclaim_allowed = false
keyring = {here}/keyring
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_pool_default_pg_autoscale_mode = off
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
osd_crush_chooseleaf_type = 0
osd_objectstore = memstore
memstore_device_bytes = {self._memory}
mon_data = {here}/mon
osd_data = {here}/osd
rgw_data = {here}/rgw
run_dir = {here}
admin_socket = {here}/$name.asok
log_file = {here}/$name.log
crash_dir = {here}
mon_data_avail_crit = 1
mon_data_avail_warn = 2
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
[client]
rgw_frontends = beast endpoint=127.0.0.1:{gateway}
rgw_dns_name = localhost
rgw_gc_obj_min_wait = 1
"""

    def _run(self, *argv: object) -> str:
        words = [str(word) for word in argv]
        ended = subprocess.run(
            words,
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            env=self._environ,
            timeout=_START_SECONDS,
        )
        if ended.returncode:
            raise InfrastructureError(f"{' '.join(words)}: {ended.stderr.strip()[-2000:]}")
        return ended.stdout

    def _spawn(self, *argv: str) -> None:
        process = subprocess.Popen(
            [*ENDS_WITH_US, *argv],
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._stack.callback(_end, process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait(what: str, condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + _START_SECONDS
    while not condition():
        if time.monotonic() > limit:
            raise InfrastructureError(f"{what} did not come up in {_START_SECONDS} s")
        time.sleep(0.1)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]

from __future__ import annotations

import glob
import os
import shlex
import signal
from pathlib import Path

from projects.jobs.process.cgroups import places
from projects.jobs.process.orders import Ended, Order, ProcessLimits, Unknown
from tests.jobs.process.house import House

EATER = ("/usr/bin/python3", "-c", "x = bytearray(300_000_000); print(len(x))")


def test_memory_is_limited_and_its_end_is_told(house: House) -> None:
    end = house.perform(house.order(1, *EATER, limits=ProcessLimits(memory=64 << 20)))
    assert end.exit_code != 0
    if end.reason == "memory":  # where a cgroup can be made
        assert end.signal == 9
        assert any("67108864 bytes of memory" in note for note in end.notes)
        assert end.usage is not None
        assert end.usage.peak_memory <= 64 << 20
    else:
        assert any("address space" in note for note in end.notes)


def test_the_limit_is_that_of_the_job_not_of_its_neighbours(house: House) -> None:
    house.perform(house.order(1, *EATER, limits=ProcessLimits(memory=64 << 20)))
    assert house.perform(house.order(2, *EATER)).exit_code == 0


def test_files_and_cpu_seconds_are_limited(house: House) -> None:
    house.perform(house.sh(1, "ulimit -n; ulimit -Hn", limits=ProcessLimits(files=77)))
    assert house.log(1) == b"77\n77\n"
    end = house.perform(house.sh(2, "while :; do :; done", limits=ProcessLimits(cpu_seconds=1)))
    assert end.signal == 24
    assert "its limit of 1 seconds of CPU was reached" in end.notes


def test_processes_are_limited(house: House) -> None:
    script = "for i in 1 2 3 4 5 6 7 8; do sleep 0.3 & done; wait"
    end = house.perform(house.sh(1, script, limits=ProcessLimits(processes=4)))
    assert b"ork" in house.log(1, "stderr.log") or end.notes


def test_cpus_are_limited_or_it_is_said(house: House) -> None:
    script = "import time; e = time.monotonic() + 0.5\nwhile time.monotonic() < e: pass"
    order = house.order(1, "/usr/bin/python3", "-c", script, limits=ProcessLimits(cpus=0.1))
    end = house.perform(order)
    assert end.usage is not None
    assert end.usage.cpu < 0.3 or any("cpus" in note for note in end.notes)


def groups(order: Order) -> list[str]:
    """Return the cgroups of an order; none where none can be made."""
    return glob.glob(f"/sys/fs/cgroup/**/topgallant-{order.id}*", recursive=True)


ALL = ProcessLimits(memory=64 << 20, cpus=1, processes=50)


def test_cgroups_are_gone_afterwards(house: House) -> None:
    order = house.sh(1, "true", limits=ALL)
    house.perform(order)
    assert not groups(order)


def test_cgroups_are_gone_when_the_runner_was_killed(house: House) -> None:
    order = house.sh(1, "sleep 100", limits=ALL)
    house.backend.launch(order)
    house.started(1)
    house.kill(*house.pids("job-runner"))
    house.backend.stop(1, 1, "enough")
    assert house.ended(1).reason == "stopped"
    assert not groups(order)


def test_the_end_of_memory_is_told_though_the_runner_was_killed(house: House) -> None:
    hungry = f"while [ ! -e {house.root}/go ]; do sleep 0.05; done; exec {shlex.join(EATER)}"
    order = house.sh(1, hungry, limits=ALL)
    house.backend.launch(order)
    house.started(1)
    is_confined = bool(groups(order))
    house.kill(*house.pids("job-runner"))
    (house.root / "go").touch()
    end = house.ended(1)
    assert end.reason == ("memory" if is_confined else "exit")
    assert any("67108864 bytes of memory" in note for note in end.notes) == is_confined
    assert not groups(order)


def test_what_left_the_mark_behind_is_found_in_the_cgroup(house: House) -> None:
    """Everything that watched the job is killed: its daemon has another environment and session."""
    script = f"env -i setsid sleep 4321 & echo $! > {house.root}/pid; sleep 100"
    order = house.sh(1, script, limits=ALL)
    house.backend.launch(order)
    pid = house.started(1).pid
    daemon = int(house.until(lambda: read(house.root / "pid")))
    house.until(lambda: b"4321" in Path(f"/proc/{daemon}/cmdline").read_bytes())
    is_confined = bool(groups(order))
    house.kill(*house.pids("job-spawner"), *house.pids("job-runner"))
    house.kill(pid)
    house.until(lambda: [r for r in house.reports if isinstance(r, (Ended, Unknown))])
    if not is_confined:
        os.kill(daemon, signal.SIGKILL)
    house.until(lambda: not read(Path(f"/proc/{daemon}/cmdline")))
    assert not groups(order)


def read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_places_in_version_1() -> None:
    membership = "4:memory:/a/b\n8:pids:/\n0::/\n"
    mounts = (
        "30 23 0:26 / /cg/memory rw - cgroup cgroup rw,memory\n"
        "31 23 0:27 / /cg/pids rw - cgroup cgroup rw,pids\n"
    )
    assert places(membership, mounts) == {"memory": ("/cg/memory/a/b", 1), "pids": ("/cg/pids", 1)}

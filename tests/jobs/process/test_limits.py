from __future__ import annotations

from projects.jobs.process.limits import places
from projects.jobs.process.orders import ProcessLimits
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


def test_cgroups_are_gone_afterwards(house: House) -> None:
    import glob

    order = house.sh(1, "true", limits=ProcessLimits(memory=1 << 30, cpus=1, processes=50))
    house.perform(order)
    assert not glob.glob(f"/sys/fs/cgroup/**/topgallant-{order.id}*", recursive=True)


def test_places_in_version_1() -> None:
    membership = "4:memory:/a/b\n8:pids:/\n0::/\n"
    mounts = (
        "30 23 0:26 / /cg/memory rw - cgroup cgroup rw,memory\n"
        "31 23 0:27 / /cg/pids rw - cgroup cgroup rw,pids\n"
    )
    assert places(membership, mounts) == {"memory": ("/cg/memory/a/b", 1), "pids": ("/cg/pids", 1)}

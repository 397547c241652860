"""What a machine is, and when two are the same."""

from __future__ import annotations

from pathlib import Path

from projects.core.configuration.document import Document
from projects.matrix_benchmarking.verdict.fingerprint import (
    COMPARED,
    FILE,
    Scalar,
    differences,
    identity,
    take,
    write,
)


def test_the_system_tells_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("processor : 0\nmodel name\t: An  Old One\n")
    (tmp_path / "proc/meminfo").write_text("MemTotal:       16384000 kB\n")
    governor = tmp_path / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
    governor.parent.mkdir(parents=True)
    governor.write_text("performance\n")
    found = take({"disk": "nvme"}, tmp_path)
    assert found["processor"] == "An Old One"
    assert found["memory_gib"] == 15.6
    assert found["governor"] == "performance"
    assert found["disk"] == "nvme"
    assert set(COMPARED) <= set(found)


def test_a_system_that_tells_nothing_is_no_error(tmp_path: Path) -> None:
    found = take(system=tmp_path)
    assert found["governor"] is None
    assert found["memory_gib"] is None


def test_it_is_written_beside_results(tmp_path: Path) -> None:
    found = write(tmp_path, {"disk": "nvme"})
    assert Document.load(tmp_path / FILE).values == found


def test_identity_is_that_of_the_compared_keys() -> None:
    one: dict[str, Scalar] = {"kernel": "6.1", "cores": 2, "git": "abc"}
    other: dict[str, Scalar] = {"git": "def", "cores": 2, "kernel": "6.1"}
    assert identity(one) == identity(other)
    assert identity(one) != identity({**one, "cores": 4})
    assert identity(one, ["git"]) != identity(other, ["git"])
    assert identity({"git": "abc"}) == ""


def test_differences_name_both_values() -> None:
    assert differences({"kernel": "6.1", "cores": 2}, {"kernel": "6.2", "cores": 2}) == {
        "kernel": ("6.1", "6.2")
    }

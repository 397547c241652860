"""What is said of a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from projects.satellite.doctor import machine
from projects.satellite.doctor.findings import Verdict, ok, problem, shown, warning


@pytest.mark.parametrize(
    ("release", "verdict"),
    [
        ("6.15.0", Verdict.OK),
        ("6.18.44-fc", Verdict.OK),
        ("7.0", Verdict.OK),
        ("6.14.9", Verdict.WARNING),
        ("5.19", Verdict.WARNING),
        ("strange", Verdict.WARNING),
    ],
)
def test_the_kernel_tells_ends_since_6_15(release: str, verdict: Verdict) -> None:
    assert machine.kernel(release).verdict is verdict


def mount(place: Path, kind: str, options: str) -> str:
    return f"25 30 0:26 / {place} rw,nosuid shared:4 - {kind} cgroup {options}\n"


def test_cgroups_of_both_versions_are_found(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids\n")
    found = machine.cgroups("0::/\n", mount(tmp_path, "cgroup2", "rw"))
    assert "isn't delegated" in found.said  # nothing there to be written to
    (tmp_path / "cgroup.procs").touch()
    found = machine.cgroups("0::/\n", mount(tmp_path, "cgroup2", "rw"))
    assert "cgroup v2" in found.said
    (tmp_path / "cgroup.type").write_text("domain\n")  # a session's, a container's
    found = machine.cgroups("0::/\n", mount(tmp_path, "cgroup2", "rw"))
    assert "isn't delegated" in found.said
    found = machine.cgroups("9:memory:/\n", mount(tmp_path, "cgroup", "rw,memory"))
    assert "cgroup v1" in found.said
    found = machine.cgroups("9:cpuset:/\n", mount(tmp_path, "cgroup", "rw,cpuset"))
    assert found.verdict is Verdict.WARNING


def test_without_cgroups_it_says_what_a_limit_means() -> None:
    found = machine.cgroups("", "")
    assert "address space" in found.said
    assert "Delegate=yes" in found.advice


def test_findings_are_counted_and_advice_follows() -> None:
    text = shown(
        [ok("a", "well"), warning("b", "odd", "look"), problem("c", "bad", "do")], colour=False
    )
    assert text == (
        "✔ a: well\n! b: odd\n    → look\n✘ c: bad\n    → do\n\n"
        "1 problem: see the arrows. 1 thing to know.\n"
    )
    assert shown([ok("a", "well")], colour=False).endswith("Nothing is in the way.\n")

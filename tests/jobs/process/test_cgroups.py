"""Cgroups as a kernel shows them; the texts and layouts are those of Linux 6.1 with systemd."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from projects.jobs.process import cgroups
from projects.jobs.process.cgroups import Places, members, places, prepare, remove_groups
from projects.jobs.process.limits import Confinement, out_of_memory

SYSTEMD = (
    "30 23 0:26 / {} rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2"
    " rw,nsdelegate,memory_recursiveprot\n"
)
EVENTS = "low 0\nhigh 0\nmax 47\noom {oom}\noom_kill {killed}\noom_group_kill 0\n"


class Kernel:
    """A cgroup v2 hierarchy in a directory, with what the kernel refuses and systemd delegates."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.delegated: set[Path] = set()
        self.immovable: set[str] = set()
        self.add("")
        (root / "cgroup.type").unlink()
        monkeypatch.setattr(os, "getxattr", self._attribute)
        monkeypatch.setattr(cgroups, "write", self._write)

    def add(self, name: str, pids: Iterable[int] = (), delegated: bool = False) -> Path:
        group = self.root / name
        if group != self.root and not group.parent.exists():
            self.add(str(group.parent.relative_to(self.root)))
        group.mkdir(parents=True, exist_ok=True)
        (group / "cgroup.type").write_text("domain\n")
        (group / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
        (group / "cgroup.subtree_control").write_text("\n")
        (group / "cgroup.procs").write_text("".join(f"{pid}\n" for pid in pids))
        if delegated:
            self.delegated.add(group)
        return group

    def text(self, group: Path, file: str) -> list[str]:
        return (group / file).read_text().split() if (group / file).exists() else []

    def _attribute(self, path: str, name: str) -> bytes:
        if name == "user.delegate" and Path(path) in self.delegated:
            return b"1"
        raise OSError(errno.ENODATA, "No data available")

    def _write(self, path: str, text: str) -> None:
        group, file = Path(path).parent, Path(path).name
        if file == "cgroup.procs":
            self._move(group, text)
        elif file == "cgroup.subtree_control":
            self._enable(group, text.removeprefix("+"))
        else:
            Path(path).write_text(text)

    def _move(self, group: Path, pid: str) -> None:
        if pid in self.immovable:
            raise OSError(errno.EACCES, "Permission denied")
        for procs in self.root.rglob("cgroup.procs"):
            procs.write_text("".join(f"{x}\n" for x in procs.read_text().split() if x != pid))
        with (group / "cgroup.procs").open("a") as file:
            file.write(f"{pid}\n")

    def _enable(self, group: Path, controller: str) -> None:
        if group != self.root and self.text(group, "cgroup.procs"):
            if controller == "memory":
                raise OSError(errno.EBUSY, "Device or resource busy")
            (group / "cgroup.type").write_text("domain threaded\n")
        with (group / "cgroup.subtree_control").open("a") as file:
            file.write(f" {controller}")


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    return Kernel(tmp_path / "cg", monkeypatch)


def seen(kernel: Kernel, path: str) -> Places:
    return places(f"0::{path}\n", SYSTEMD.format(kernel.root))


def all_in(group: Path) -> Places:
    return dict.fromkeys(("cpuset", "cpu", "io", "memory", "pids"), (str(group), 2))


def test_the_root_of_version_2_is_a_place(kernel: Kernel) -> None:
    assert seen(kernel, "/") == all_in(kernel.root)


def test_a_service_in_a_group_of_its_own_has_its_place_above(kernel: Kernel) -> None:
    unit = kernel.add("system.slice/satellite.service", delegated=True)
    kernel.add("system.slice/satellite.service/server", [7])
    assert seen(kernel, "/system.slice/satellite.service/server") == all_in(unit)


def test_what_is_delegated_to_us_is_a_place(kernel: Kernel) -> None:
    unit = kernel.add("system.slice/run-u5.scope", [7], delegated=True)
    assert seen(kernel, "/system.slice/run-u5.scope") == all_in(unit)


def test_the_systemd_of_a_user_marks_nothing(kernel: Kernel) -> None:
    slice_ = "user.slice/user-1000.slice/user@1000.service/app.slice"
    unit = kernel.add(f"{slice_}/satellite.service", [7])
    assert seen(kernel, f"/{slice_}/satellite.service") == {}
    kernel.add(f"{slice_}/satellite.service/server", [8])
    assert seen(kernel, f"/{slice_}/satellite.service/server") == all_in(unit)
    kernel.add(f"{slice_}/satellite.service/topgallant")  # by the unit, before systemd 254
    assert seen(kernel, f"/{slice_}/satellite.service") == all_in(unit)
    assert seen(kernel, f"/{slice_}/satellite.service/topgallant") == all_in(unit)


def test_what_is_not_delegated_is_none_though_root_could_write_there(kernel: Kernel) -> None:
    kernel.add("user.slice/user-0.slice/session-1.scope", [7])
    assert seen(kernel, "/user.slice/user-0.slice/session-1.scope") == {}


def test_a_server_in_a_job_stays_within_the_limits_of_that_job(kernel: Kernel) -> None:
    kernel.add("system.slice/satellite.service", delegated=True)
    kernel.add("system.slice/satellite.service/topgallant-x.1", [7])
    assert seen(kernel, "/system.slice/satellite.service/topgallant-x.1") == {}


def test_a_container_sees_its_group_as_the_root_but_it_is_none(kernel: Kernel) -> None:
    """Of a cgroup namespace, and where only the mount is bound into the container."""
    box = kernel.add("system.slice/docker-a.scope", [7])
    text = SYSTEMD.format(box)
    assert places("0::/\n", text) == {}
    assert places("0::/../session-1.scope\n", text) == {}
    bound = text.replace(" / ", " /system.slice/docker-a.scope ", 1)
    kernel.delegated.add(box)
    assert places("0::/system.slice/docker-a.scope\n", bound) == all_in(box)
    assert places("0::/system.slice/docker-a.scope.other\n", bound) == {}


def test_in_a_hybrid_layout_version_1_has_what_it_has(kernel: Kernel) -> None:
    (kernel.root / "cgroup.controllers").write_text("pids\n")
    membership = "4:memory:/process_api/1\n9:name=systemd:/\n0::/\n"
    mounts = (
        "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
        "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
        "40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd\n"
        f"41 31 0:38 / {kernel.root} rw,relatime - cgroup2 cgroup2 rw\n"
    )
    assert places(membership, mounts) == {
        "memory": ("/sys/fs/cgroup/memory/process_api/1", 1),
        "name=systemd": ("/sys/fs/cgroup/systemd", 1),
        "pids": (str(kernel.root), 2),
    }


def test_the_first_of_two_mounts_counts(kernel: Kernel) -> None:
    text = SYSTEMD.format(kernel.root)
    kernel.add("other")
    (kernel.root / "other" / "cgroup.type").unlink()
    assert places("0::/\n", text + SYSTEMD.format(kernel.root / "other")) == all_in(kernel.root)


def test_without_a_membership_there_is_no_place(kernel: Kernel) -> None:
    assert places("", SYSTEMD.format(kernel.root)) == {}


def test_looking_for_places_changes_nothing(kernel: Kernel) -> None:
    unit = kernel.add("a.scope", [7], delegated=True)
    seen(kernel, "/a.scope")
    assert kernel.text(unit, "cgroup.subtree_control") == []
    assert kernel.text(unit, "cgroup.procs") == ["7"]


def test_a_place_with_our_processes_is_cleared_before_controllers_are_enabled(
    kernel: Kernel,
) -> None:
    unit = kernel.add("old.service", [7, 8], delegated=True)
    prepare(str(unit))
    assert kernel.text(unit, "cgroup.subtree_control") == ["memory", "cpu", "pids"]
    assert kernel.text(unit / "topgallant", "cgroup.procs") == ["7", "8"]
    prepare(str(unit))
    assert kernel.text(unit, "cgroup.subtree_control") == ["memory", "cpu", "pids"]


def test_a_place_with_processes_that_stay_is_left_as_it_is(kernel: Kernel) -> None:
    """Enabling `cpu` would make it a threaded one: nothing could enter the groups below."""
    unit = kernel.add("old.service", [7, 8], delegated=True)
    kernel.immovable = {"8"}
    prepare(str(unit))
    assert kernel.text(unit, "cgroup.subtree_control") == []
    assert kernel.text(unit, "cgroup.type") == ["domain"]


def test_a_process_that_comes_in_between_keeps_everything_off(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = kernel.add("old.service", [], delegated=True)
    enable = cgroups.write

    def late(path: str, text: str) -> None:
        (unit / "cgroup.procs").write_text("9\n")
        enable(path, text)

    monkeypatch.setattr(cgroups, "write", late)
    prepare(str(unit))
    assert kernel.text(unit, "cgroup.subtree_control") == []


def test_the_root_may_keep_its_processes(kernel: Kernel) -> None:
    kernel.add("", [1, 7])
    (kernel.root / "cgroup.type").unlink()
    prepare(str(kernel.root))
    assert kernel.text(kernel.root, "cgroup.subtree_control") == ["memory", "cpu", "pids"]
    assert kernel.text(kernel.root, "cgroup.procs") == ["1", "7"]


def confinement(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch, unit: Path
) -> tuple[Confinement, Path]:
    """Return what limits a job to 1 MiB and half a CPU, and its group, with the kernel's files."""
    monkeypatch.setattr(cgroups, "_found", seen(kernel, f"/{unit.name}"))
    found = Confinement({"memory": 1 << 20, "cpus": 0.5}, "x.1")
    group = kernel.add(f"{unit.name}/topgallant-x.1")
    return found, group


def test_limits_are_written_as_version_2_wants_them(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = kernel.add("old.service", [7], delegated=True)
    found, group = confinement(kernel, monkeypatch, unit)
    assert found.groups == [str(group)]
    found.make()
    assert found.notes == []
    texts = [(group / f).read_text() for f in ("memory.max", "memory.swap.max", "cpu.max")]
    assert texts == ["1048576", "0", "50000 100000"]


def test_limits_that_a_restart_of_the_service_lifted_are_set_again(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = kernel.add("old.service", [7], delegated=True)
    found, group = confinement(kernel, monkeypatch, unit)
    found.make()
    (unit / "cgroup.subtree_control").write_text("\n")
    (unit / "cgroup.procs").write_text("9\n")  # the new server
    (group / "memory.max").write_text("max\n")
    found.renew()
    assert kernel.text(unit, "cgroup.subtree_control") == ["memory", "cpu", "pids"]
    assert kernel.text(group, "memory.max") == ["1048576"]
    assert "9" in kernel.text(unit / "topgallant", "cgroup.procs")


def test_what_can_not_be_had_is_noted_and_leaves_no_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory that isn't a cgroup: none of the kernel's files come into being in it."""
    monkeypatch.setattr(cgroups, "_found", {"memory": (str(tmp_path), 2)})
    found = Confinement({"memory": 1 << 20, "cpus": 0.5}, "x.1")
    assert found.groups == [str(tmp_path / "topgallant-x.1")]
    found.make()
    assert found.groups == []
    assert "address space" in found.notes[0]
    assert "cpus is not enforced" in found.notes[1]
    assert list(tmp_path.iterdir()) == []


def test_the_end_of_memory_is_told_from_the_group(tmp_path: Path) -> None:
    group = tmp_path / "topgallant-x.1"
    group.mkdir()
    (group / "memory.max").write_text("67108864\n")
    (group / "memory.events").write_text(EVENTS.format(oom=1, killed=2))
    assert out_of_memory([str(group)]) == (
        "the kernel killed 2 processes of it: the limit of 67108864 bytes of memory was reached"
    )
    # The machine had none left, or a group above: that isn't the limit of the job.
    (group / "memory.events").write_text(EVENTS.format(oom=0, killed=2))
    assert out_of_memory([str(group)]) == ""
    assert out_of_memory([]) == ""


def test_groups_that_a_job_made_in_its_own_go_with_it(tmp_path: Path) -> None:
    group = tmp_path / "topgallant-x.1"
    (group / "a" / "b").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    remove_groups([str(group), str(tmp_path / "other")])
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_processes_are_found_in_groups_of_jobs_only(kernel: Kernel) -> None:
    """0 is one of another pid namespace; as the target of a signal it would be ourselves."""
    group = kernel.add("topgallant-x.1", [0, 7])
    kernel.add("topgallant-x.1/a", [8])
    other = kernel.add("other", [9])
    assert members([str(group), str(other)]) == {7, 8}

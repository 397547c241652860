"""The unit file: as systemd reads it, and as jobs need it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from projects.core.errors import UsageError
from projects.satellite.systemd.units import unit

CHECKOUT = Path("/opt/my checkout")
SECTIONS = {
    "Unit": {"Description", "Documentation", "Wants", "After", "StartLimitIntervalSec"},
    "Service": {
        *("Type", "ExecStart", "WorkingDirectory", "User", "EnvironmentFile", "Restart"),
        *("RestartSec", "KillMode", "OOMPolicy", "Delegate", "TasksMax", "LimitNOFILE"),
        *("DelegateSubgroup", "ExecStartPre", "ExecStopPost"),
        *("NoNewPrivileges", "ProtectSystem", "ProtectKernelModules", "ProtectKernelLogs"),
        *("ProtectClock", "RestrictRealtime", "RestrictSUIDSGID", "LockPersonality"),
    },
    "Install": {"WantedBy"},
}


def read(text: str) -> dict[str, dict[str, str]]:
    """Return a unit file by section and key; anything that isn't one fails."""
    found: dict[str, dict[str, str]] = {}
    section = ""
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            section = line.strip("[]")
            found[section] = {}
            continue
        key, equals, value = line.partition("=")
        assert equals
        assert key in SECTIONS[section], key
        assert key not in found[section]
        found[section][key] = value
    assert list(found) == list(SECTIONS)
    return found


def test_only_the_server_is_stopped_and_it_always_comes_back() -> None:
    service = read(unit(CHECKOUT, Path("/srv/lab"), user="lab"))["Service"]
    assert service["KillMode"] == "process"
    assert service["Restart"] == "always"
    assert service["User"] == "lab"
    assert service["WorkingDirectory"] == "/srv/lab"
    assert service["ExecStart"] == '"/opt/my checkout/bin/satellite"'
    assert "NoNewPrivileges" not in service


def test_a_user_s_unit_has_no_user_and_another_target() -> None:
    found = read(unit(CHECKOUT, Path("/srv"), user=None))
    assert "User" not in found["Service"]
    assert "After" not in found["Unit"]
    assert found["Install"]["WantedBy"] == "default.target"


def test_hardening_is_asked_for() -> None:
    service = read(unit(CHECKOUT, Path("/srv"), user="lab", hardened=True))["Service"]
    assert service["NoNewPrivileges"] == "yes"


def perform(tmp_path: Path, key: str, group: str) -> None:
    """Perform a command of the unit as systemd does in `group`, in a hierarchy of our own."""
    words = shlex.split(read(unit(CHECKOUT, Path("/srv"), user=None))["Service"][key])
    membership = tmp_path / "membership"
    membership.write_text(f"1:name=systemd:/x\n0::{group}\n")
    (tmp_path / group.strip("/")).mkdir(parents=True, exist_ok=True)
    script = words[2].replace("$$", "$").replace("/proc/self/cgroup", str(membership))
    script = script.replace("/sys/fs/cgroup", str(tmp_path))
    subprocess.run([words[0].removeprefix("-"), words[1], script], check=False)


def test_limits_are_below_the_service() -> None:
    service = read(unit(CHECKOUT, Path("/srv"), user="lab"))["Service"]
    assert (service["Delegate"], service["DelegateSubgroup"]) == ("yes", "server")


def test_before_systemd_254_no_limit_is_in_the_way_of_the_next_start(tmp_path: Path) -> None:
    perform(tmp_path, "ExecStartPre", "/lab.service")
    assert (tmp_path / "lab.service" / "topgallant").is_dir()
    perform(tmp_path, "ExecStopPost", "/lab.service/.control")
    control = tmp_path / "lab.service" / "cgroup.subtree_control"
    assert control.read_text().split() == ["-memory", "-cpu", "-pids"]


def test_since_systemd_254_limits_stay_as_they_are(tmp_path: Path) -> None:
    perform(tmp_path, "ExecStartPre", "/lab.service/server")
    assert not list(tmp_path.glob("lab.service/**/topgallant"))
    perform(tmp_path, "ExecStopPost", "/lab.service/.control")
    assert not (tmp_path / "lab.service" / "cgroup.subtree_control").exists()


def test_words_arrive_as_they_are() -> None:
    words = ["--nickname=a b%$HOME", 'x"y\\']
    line = read(unit(CHECKOUT, Path("/srv"), words, user="lab"))["Service"]["ExecStart"]
    assert line.endswith(' "--nickname=a b%%$$HOME" "x\\"y\\\\"')


def test_what_no_unit_can_hold_is_refused() -> None:
    with pytest.raises(UsageError, match="can't stand in a unit file"):
        unit(CHECKOUT, Path("/srv"), ["a\nExecStartPre=/bin/evil"], user="lab")
    with pytest.raises(UsageError):
        unit(CHECKOUT, Path("/srv"), nickname="a\nb", user="lab")


@pytest.mark.parametrize("hardened", [False, True])
@pytest.mark.parametrize("user", ["root", None])
def test_systemd_itself_finds_nothing_wrong(
    tmp_path: Path, checkout: Path, user: str | None, hardened: bool
) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:  # the strict reading above is what can be held then
        return
    text = unit(checkout, tmp_path, ["--nickname=a b%"], user=user, hardened=hardened)
    file = tmp_path / "satellite.service"
    file.write_text(text.replace("Documentation=file://", "Documentation=https://example.com"))
    done = subprocess.run(
        [analyze, *([] if user else ["--user"]), "verify", str(file)],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if not is_of_254(line)]
    assert (done.returncode, said) == (0, [])


def is_of_254(line: str) -> bool:
    """Return whether an older systemd says that it leaves out what it doesn't know yet."""
    return "Unknown key" in line and "'DelegateSubgroup'" in line and "ignoring" in line

"""The unit file that keeps a satellite running; jobs outlive its restarts.

Sources: systemd.unit(5), systemd.service(5), systemd.kill(5), systemd.exec(5),
systemd.resource-control(5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from projects.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_UNIT = """\
# {place}
[Unit]
Description=Topgallant satellite{nickname}
Documentation=file://{checkout}/docs/how-to/run-a-satellite.md
{network}# An error of the disk or the port may pass: it is tried again for ever.
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart={command}
WorkingDirectory={directory}
{user}# $TOPGALLANT_HUB, $TOPGALLANT_HUB_TOKEN; the file needn't be there.
EnvironmentFile=-{environment}
Restart=always
RestartSec=2
# Only the server is stopped: jobs and their runners go on, and the next start takes them over.
KillMode=process
# The whole service isn't ended when one job takes too much memory.
OOMPolicy=continue
# Limits of single jobs are cgroups below our own, which may have no processes itself then. systemd
# 254 or later starts us in a group below it. With an older one the server moves to a group that is
# made here, and limits are lifted while it is away: they would keep systemd from starting it.
Delegate=yes
DelegateSubgroup=server
ExecStartPre=-/bin/sh -c '{make}'
ExecStopPost=-/bin/sh -c '{lift}'
TasksMax=infinity
LimitNOFILE=65536
{hardening}
[Install]
WantedBy={target}
"""

_OWN = "/sys/fs/cgroup$$(sed -n s/^0:://p /proc/self/cgroup)"
_MAKE = f"cd {_OWN} && case $$PWD in *.service) mkdir -p topgallant; esac"
_LIFT = f"cd {_OWN}/.. && test -d topgallant && echo -memory -cpu -pids > cgroup.subtree_control"

_HARDENING = """\
# Jobs inherit this: no sudo, no dmesg, no real-time priorities, no setarch, nothing of the system
# to be written to.
NoNewPrivileges=yes
ProtectSystem=full
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectClock=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
"""

_SOFT = """\
# Jobs inherit what is forbidden here, and tests may need sudo, dmesg or real-time priorities:
# where none does, satellite systemd --hardened.
"""


def unit(
    checkout: Path,
    directory: Path,
    words: Sequence[str] = (),
    *,
    nickname: str = "",
    user: str | None = None,
    hardened: bool = False,
) -> str:
    """Return the unit file.

    Parameters
    ----------
    directory
        Where the satellite works: relative names in `words` are below it.
    words
        The words of the satellite's command line.
    hardened
        Forbid what most tests don't need, some do.
    user
        Whose service it is; None: of the user whose systemd it is.

    Raises
    ------
    UsageError
        A path or word has a character that a unit file can't hold.
    """
    is_system = user is not None
    home = "~/.config/systemd/user"
    return _UNIT.format(
        place=(
            "/etc/systemd/system/satellite.service: systemctl enable --now satellite"
            if is_system
            else f"{home}/satellite.service: systemctl --user enable --now satellite"
        ),
        nickname=_text(f" {nickname}" if nickname else ""),
        checkout=_path(checkout),
        network="Wants=network-online.target\nAfter=network-online.target\n" if is_system else "",
        command=" ".join(map(_word, [str(checkout / "bin" / "satellite"), *words])),
        directory=_path(directory),
        user=f"User={_text(user)}\n" if user is not None else "",
        environment="/etc/default/satellite" if is_system else "%E/satellite.env",
        make=_MAKE,
        lift=_LIFT,
        hardening=_HARDENING if hardened else _SOFT,
        target="multi-user.target" if is_system else "default.target",
    )


def _word(text: str) -> str:
    """Return a word of ExecStart: quoted where needed, `%` and `$` doubled as they are special."""
    safe = _text(text).replace("$", "$$")
    if safe and not any(character in safe for character in " \t'\";\\"):
        return safe
    escaped = safe.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _path(path: Path) -> str:
    return _text(str(path))


def _text(text: str) -> str:
    if not text.isprintable():
        raise UsageError(f"{text!r} can't stand in a unit file")
    return text.replace("%", "%%")

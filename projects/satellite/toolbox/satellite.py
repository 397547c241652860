"""Look after a satellite: what is wrong with it, and a unit file for systemd."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from projects.core.library.toolbox import query

_CHECKOUT = Path(__file__).resolve().parents[3]


@query
def doctor(  # noqa: PLR0917  (the words of a command line)
    data_dir: Path = Path("satellite"),
    test_scripts: list[Path] = [Path("test_scripts")],  # noqa: B006
    host: str = "127.0.0.1",
    port: int = 8001,
    database: str = "satellite.db",
    hub: str | None = None,
    output: Literal["text", "json"] = "text",
) -> None:
    """Look at all that a satellite needs, and say what to do about what is in its way.

    Give it the words that the satellite is started with. Nothing is changed. The exit status is 2
    when something is in the way.

    Args:
        data_dir: Directory for the database, the logs of jobs, and the token of this machine.
        test_scripts: Directories with test scripts.
        host: Address that the satellite listens at.
        port: Port that it listens at.
        database: File in the data directory, or the URL of a PostgreSQL database.
        hub: Address of the hub; $TOPGALLANT_HUB by default.
        output: For people, or JSON.
    """
    import os
    import sys

    from projects.satellite.doctor.examination import Patient, examine
    from projects.satellite.doctor.findings import Verdict, shown

    findings = examine(
        Patient(
            data_directory=data_dir.absolute(),
            test_scripts=[each.absolute() for each in test_scripts],
            host=host,
            port=port,
            database=database,
            hub=hub or os.environ.get("TOPGALLANT_HUB") or None,
        )
    )
    if output == "json":
        import json
        from dataclasses import asdict

        listed = [asdict(finding) for finding in findings]
        sys.stdout.write(json.dumps(listed, indent=2, ensure_ascii=False) + "\n")
    else:
        colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        sys.stdout.write(shown(findings, colour=colour))
    if any(finding.verdict is Verdict.PROBLEM for finding in findings):
        raise SystemExit(2)


@query
def systemd(
    *words: str,
    user: bool = False,
    run_as: str = "",
    directory: Path = Path(),
    nickname: str = "",
    hardened: bool = False,
) -> str:
    """Print a unit file that keeps a satellite running; jobs outlive its restarts.

    Args:
        words: Words of the satellite's command line, behind --.
        user: For the systemd of this user; else for that of the machine.
        run_as: User that a satellite of the machine runs as; this one by default.
        directory: Where it works: test_scripts and satellite are below it. This directory by
            default.
        nickname: Name of the satellite, for people.
        hardened: Forbid jobs what most don't need: sudo, dmesg, real-time priorities.

    Examples
    --------
    bin/satellite systemd --user > ~/.config/systemd/user/satellite.service
    bin/satellite systemd --nickname=lab -- --port=8101 --hub=http://hub:8000
    """
    import os
    import pwd

    from projects.satellite.systemd.units import unit

    owner = run_as or pwd.getpwuid(os.geteuid()).pw_name
    named = [f"--nickname={nickname}"] if nickname else []
    return unit(
        _CHECKOUT,
        directory.absolute(),
        [*named, *words],
        nickname=nickname,
        user=None if user else owner,
        hardened=hardened,
    )

"""From a fresh clone in an empty home, with nothing of ours installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import CHECKOUT
from tests.end_to_end.conftest import Call

FAST = ("tests.seconds=0.01", "tests.warmup_transactions=1", "tests.repetitions=1")


def base_python() -> Path:
    """Return the Python below this environment, or this one if it is in none."""
    return Path(getattr(sys, "_base_executable", None) or sys.executable).resolve()


def test_the_readme_command_makes_its_environment_once(tmp_path: Path) -> None:
    clone, home, programs = tmp_path / "clone", tmp_path / "home", tmp_path / "bin"
    if (CHECKOUT / ".git").exists():
        copied_as_committed(clone)
    else:
        shutil.copytree(CHECKOUT, clone, ignore=shutil.ignore_patterns(".venv*", "artifacts"))
    home.mkdir()
    programs.mkdir()
    (programs / "python3").symlink_to(base_python())
    bare = {"HOME": str(home), "PATH": f"{programs}:/usr/bin:/bin"}
    # How to reach the package index is the machine's affair; its settings are no environment.
    bare |= {k: v for k, v in os.environ.items() if k.startswith(("PIP_", "UV_")) or is_network(k)}

    first = called(clone, bare)
    assert first.returncode == 0, first.stderr
    assert "Making the environment" in first.stderr
    assert (clone / ".venv/bin/python").exists()
    (run,) = (path for path in (clone / "artifacts").glob("2*") if path.is_dir())
    assert (run / "results.csv").is_file()
    assert "passed" in (run / "FINISHED").read_text()

    before = (clone / ".venv").stat().st_mtime_ns
    second = called(clone, {"HOME": str(home), "PATH": bare["PATH"]})  # needs no index any more
    assert second.returncode == 0, second.stderr
    assert "Making the environment" not in second.stderr
    assert (clone / ".venv").stat().st_mtime_ns == before
    assert git("status", "--porcelain", at=clone) == ""


def copied_as_committed(there: Path) -> None:
    """Clone, then bring what is not committed yet: it is what is tested."""
    subprocess.run(["git", "clone", "-q", CHECKOUT, there], check=True, capture_output=True)
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", at=CHECKOUT)
    for name in filter(None, listed.split("\0")):
        (there / name).parent.mkdir(parents=True, exist_ok=True)
        if (CHECKOUT / name).is_file():
            shutil.copy2(CHECKOUT / name, there / name)
    git("add", "--all", at=there)
    who = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    git(*who, "commit", "-q", "--allow-empty", "-m", "as it is now", at=there)


def git(*words: str, at: Path) -> str:
    done = subprocess.run(["git", *words], cwd=at, check=True, capture_output=True, text=True)
    return done.stdout


def is_network(name: str) -> bool:
    return name.lower() in {"http_proxy", "https_proxy", "no_proxy", "ssl_cert_file"}


def called(clone: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["./run_toolbox.py", "project", "test_ci", "quick", *FAST],
        cwd=clone,
        env=environ,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_what_is_wrong_is_told_before_an_environment_is_made(call: Call, tmp_path: Path) -> None:
    done = call("nothing_like_this", "test_ci", TOPGALLANT_VENV=str(tmp_path / "venv"))
    assert done.returncode == 2
    assert 'unknown project or toolbox group "nothing_like_this"' in done.stderr
    assert not (tmp_path / "venv").exists()

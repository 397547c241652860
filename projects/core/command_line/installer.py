"""Making a virtual environment with venv and pip, or uv, showing one line while it goes."""

from __future__ import annotations

import collections
import glob
import importlib.util
import os
import shutil
import subprocess
import sys
import time

from projects.core.errors import InfrastructureError

_LAST_LINES = 12


class Installer:
    """Builds beside `place` and moves in at the end, so that `place` is whole or as before."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.new = f"{place}.{os.getpid()}.new"

    def clear_leftovers(self) -> None:
        """Remove what interrupted builds left; the caller holds the lock."""
        escaped = glob.escape(self.place)
        for path in glob.glob(f"{escaped}.*.new") + glob.glob(f"{escaped}.*.old"):
            shutil.rmtree(path, ignore_errors=True)

    def build(self, lock: str) -> str:
        """Make an environment with what `lock` says; return its folder, not yet in place."""
        version = ".".join(map(str, sys.version_info[:3]))
        show = _Progress(f"Making the environment {self.place} (Python {version}), once")
        try:
            if _has_venv():
                show.run([_base_python(), "-I", "-m", "venv", self.new], "making the environment")
            else:
                show.run([_uv(), "venv", "--python", _base_python(), self.new], "uv venv")
            show.run(self._install(self.new, lock), "installing the packages")
        except BaseException:
            show.end("given up")
            shutil.rmtree(self.new, ignore_errors=True)
            raise
        show.end("done")
        return self.new

    def add_to(self, place: str, lock: str, version: str) -> None:
        """Install what `lock` says into an environment that somebody else made."""
        if not version or tuple(map(int, version.split("."))) < (3, 11):
            raise InfrastructureError(
                f"{place} is no environment of Python 3.11 or newer"
                f"{f' but of {version}' if version else ''}; move it away, or name another place "
                "in TOPGALLANT_VENV"
            )
        show = _Progress(f"Adding what is missing to the environment {place}")
        try:
            show.run(self._install(place, lock), "installing the packages")
        except BaseException:
            show.end("given up")
            raise
        show.end("done")

    def move_in(self, new: str) -> None:
        """Put the new environment in place of the old one, its scripts pointing there."""
        _relocate(new, self.place)
        old = f"{self.place}.{os.getpid()}.old"
        if os.path.lexists(self.place):
            os.rename(self.place, old)
        os.rename(new, self.place)
        shutil.rmtree(old, ignore_errors=True)

    def _install(self, place: str, lock: str) -> list[str]:
        python = os.path.join(place, "bin", "python")
        # A lock is complete: pip resolves nothing, or a newer release of what an extra names wins.
        words = ["install", "--no-deps", "--require-hashes", "-r", lock]
        if os.path.isfile(os.path.join(place, "bin", "pip")):
            return [python, "-I", "-m", "pip", "--disable-pip-version-check", "--no-input", *words]
        return [_uv(), "pip", *words, "--python", python]


def _base_python() -> str:
    """Return the Python below this one's environment, if it is in one."""
    return getattr(sys, "_base_executable", None) or sys.executable


def _has_venv() -> bool:
    return all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))


def _uv() -> str:
    found = shutil.which("uv")
    if found is None:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise InfrastructureError(
            f"this Python ({sys.executable}) cannot make environments: its module ensurepip is "
            f"missing. On Debian and Ubuntu: apt install python{version}-venv (or python3-venv). "
            "The program uv on PATH would do as well."
        )
    return found


def _relocate(built: str, place: str) -> None:
    """Write `place` into the scripts and settings that name the folder they were built in."""
    folder = os.path.join(built, "bin")
    files = [os.path.join(folder, name) for name in os.listdir(folder)]
    for path in [os.path.join(built, "pyvenv.cfg"), *files]:
        if os.path.islink(path) or not os.path.isfile(path):
            continue
        with open(path, "rb") as file:
            content = file.read()
        moved = content.replace(os.fsencode(built), os.fsencode(place))
        if moved != content and b"\0" not in content:
            with open(path, "wb") as file:
                file.write(moved)


class _Progress:
    """One line on stderr: rewritten on a terminal, written once elsewhere."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.began = time.monotonic()
        self.live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        if not self.live:
            self._write(f"{title} …\n")

    def run(self, command: list[str], what: str) -> None:
        """Run a step, showing the line that it printed last; InfrastructureError when it fails."""
        self._show(what)
        last: collections.deque[str] = collections.deque(maxlen=_LAST_LINES)
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
        except OSError as error:
            raise InfrastructureError(f"{command[0]}: {error.strerror}") from error
        with process:
            for line in process.stdout or ():
                if line.strip():
                    last.append(line.rstrip())
                    self._show(line.strip())
        if process.returncode:
            self._clear()
            lines = "\n".join(f"    {line}" for line in last)
            raise InfrastructureError(
                f"{what} failed (exit status {process.returncode}); the last lines:\n{lines}\n"
                "Packages come from where pip is configured to look; is the network there? "
                "Start again to try again."
            )

    def end(self, how: str) -> None:
        """Leave one closing line."""
        self._clear()
        self._write(f"{self.title}: {how} after {time.monotonic() - self.began:.0f} s\n")

    def _show(self, text: str) -> None:
        if self.live:
            line = f"{self.title}: {time.monotonic() - self.began:.0f} s, {text}"
            self._write(f"\r\x1b[K{line[: _columns() - 1]}")

    def _clear(self) -> None:
        if self.live:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns
    except OSError:
        return 80

"""The virtual environment of a checkout: made from the lock file, once, whole or not at all."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager

TYPE_CHECKING = False  # importing typing would take longer than all the rest of --version
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STAMP = "topgallant.stamp"
"""File of an environment: the Python version as X.Y, then the lock file that it was made from."""

_LAST_LINES = 12


def place_for(root: str, lock: str, environ: Mapping[str, str]) -> str:
    """Return where the environment of the checkout at `root` is or will be.

    $TOPGALLANT_VENV, else `.venv` beside run_toolbox.py, else, when the checkout cannot be written
    and holds no usable one, a folder below $XDG_CACHE_HOME/topgallant.
    """
    given = environ.get("TOPGALLANT_VENV")
    if given:
        return os.path.abspath(os.path.expanduser(given))
    beside = os.path.join(root, ".venv")
    if os.access(root, os.W_OK) or ready(lock, beside):
        return beside
    import hashlib

    cache = environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    name = hashlib.sha256(os.path.realpath(root).encode()).hexdigest()[:16]
    return os.path.join(os.path.abspath(cache), "topgallant", name, "venv")


def python_of(place: str) -> str:
    """Return the path of the environment's Python."""
    return os.path.join(place, "bin", "python")


def is_inside(place: str) -> bool:
    """Say whether this process runs in the environment at `place`."""
    return os.path.realpath(sys.prefix) == os.path.realpath(place)


def ready(lock: str, place: str) -> bool:
    """Say whether the environment holds what the lock file says: by its stamp, else by a look."""
    version, _, made_from = _read(os.path.join(place, STAMP)).partition("\n")
    wanted = _read(lock)
    if not os.access(python_of(place), os.X_OK):
        return False
    if is_inside(place) and version and version != _this_version():
        return False  # the Python below it was exchanged
    # Made from another lock, such as that of the tests, it may hold all of this one as well.
    return (bool(version) and made_from == wanted) or _holds(wanted, place)


def provide(lock: str, place: str) -> str:
    """Return the Python of an environment with what `lock` says, making it where needed.

    Processes that start at once wait for the first. Raises InfrastructureError with the last lines
    of what failed; then nothing is left but what was there before.
    """
    if ready(lock, place):
        _stamp_if_missing(lock, place)
        return python_of(place)
    with _alone(place):
        if not ready(lock, place):
            _make(lock, place)
    return python_of(place)


def _make(lock: str, place: str) -> None:
    from projects.core.command_line.installer import Installer

    installer = Installer(place)
    installer.clear_leftovers()
    if os.path.isdir(place) and not os.path.exists(os.path.join(place, STAMP)):
        version = _version_in(place)
        installer.add_to(place, lock, version)
        _stamp(lock, place, version)
        return
    new = installer.build(lock)
    _stamp(lock, new, _this_version())
    installer.move_in(new)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return ""


def _this_version() -> str:
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def _version_in(place: str) -> str:
    """Return the Python version X.Y of an environment that we did not make."""
    for line in _read(os.path.join(place, "pyvenv.cfg")).splitlines():
        key, _, value = line.partition("=")
        if key.strip() in ("version", "version_info"):
            return ".".join(value.strip().split(".")[:2])
    return ""


def _stamp(lock: str, place: str, version: str) -> None:
    path = os.path.join(place, STAMP)
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.write(f"{version}\n{_read(lock)}")
    os.replace(f"{path}.new", path)


def _stamp_if_missing(lock: str, place: str) -> None:
    """Remember that a foreign environment was looked at; a read-only one is looked at each time."""
    import contextlib

    if not os.path.exists(os.path.join(place, STAMP)):
        with contextlib.suppress(OSError):
            _stamp(lock, place, _version_in(place))


def _holds(lock_text: str, place: str) -> bool:
    """Say whether a foreign environment has every locked package in the locked version."""
    version = _version_in(place)
    if not version or tuple(map(int, version.split("."))) < (3, 11):
        return False
    packages = os.path.join(place, "lib", f"python{version}", "site-packages")
    try:
        entries = os.listdir(packages)
    except OSError:
        return False
    installed = {_folded(e.removesuffix(".dist-info")) for e in entries if e.endswith(".dist-info")}
    return locked(lock_text) <= installed


def locked(lock_text: str) -> set[str]:
    """Return `name-version` of every requirement of a lock; one with a marker may be absent."""
    lines = (line.strip().rstrip("\\").strip() for line in lock_text.splitlines())
    pins = (line.split(" ")[0] for line in lines if "==" in line and ";" not in line)
    return {_folded(pin.replace("==", "-", 1)) for pin in pins if not pin.startswith(("#", "-"))}


def _folded(name: str) -> str:
    return name.casefold().replace("_", "-").replace(".", "-")


@contextmanager
def _alone(place: str) -> Iterator[None]:
    """Hold the lock file beside the environment; say so when another process has it."""
    import fcntl

    from projects.core.errors import unreadable

    path = f"{place}.lock"
    try:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        file = open(path, "w", encoding="utf-8")  # noqa: SIM115 - closed below, holding the lock
    except OSError as error:
        raise unreadable(path, error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"Another process makes {place}; waiting for it …", file=sys.stderr)  # noqa: T201
            fcntl.flock(file, fcntl.LOCK_EX)
        yield

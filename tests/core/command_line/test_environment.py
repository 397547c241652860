"""Where the environment is, and what counts as one that holds the lock."""

import os
from pathlib import Path

import pytest

from projects.core.command_line import environment, installer
from projects.core.command_line.installer import Installer
from projects.core.errors import InfrastructureError

LOCK = """\
jinja2==3.1.6 \\
    --hash=sha256:85ece4451f492d0c13c5dd7c13a64681a86afae63a5f347908daf103ce6d2f67
ruamel.yaml==0.18 \\
    --hash=sha256:85ece4451f492d0c13c5dd7c13a64681a86afae63a5f347908daf103ce6d2f67
colorama==0.4.6 ; sys_platform == "win32" \\
    --hash=sha256:85ece4451f492d0c13c5dd7c13a64681a86afae63a5f347908daf103ce6d2f67
# a comment with a==b
"""


@pytest.fixture
def lock(tmp_path: Path) -> str:
    path = tmp_path / "requirements.lock"
    path.write_text(LOCK)
    return str(path)


def make(place: Path, *packages: str, version: str = "3.12.1") -> None:
    """Make a folder that looks like an environment of somebody else."""
    (place / "bin").mkdir(parents=True)
    (place / "bin/python").symlink_to("/bin/sh")
    (place / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = {version}\n")
    for package in packages:
        short = ".".join(version.split(".")[:2])
        (place / f"lib/python{short}/site-packages/{package}.dist-info").mkdir(parents=True)


def test_a_lock_names_what_has_to_be_there() -> None:
    assert environment.locked(LOCK) == {"jinja2-3-1-6", "ruamel-yaml-0-18"}


def test_a_foreign_environment_is_ready_when_it_holds_the_locked_versions(
    tmp_path: Path, lock: str
) -> None:
    make(tmp_path / "good", "Jinja2-3.1.6", "ruamel_yaml-0.18", "more-1")
    make(tmp_path / "older", "jinja2-3.1.5", "ruamel.yaml-0.18")
    make(tmp_path / "old_python", "jinja2-3.1.6", "ruamel.yaml-0.18", version="3.9.2")
    assert environment.ready(lock, str(tmp_path / "good"))
    assert not environment.ready(lock, str(tmp_path / "older"))
    assert not environment.ready(lock, str(tmp_path / "old_python"))
    assert not environment.ready(lock, str(tmp_path / "missing"))


def test_one_that_was_made_from_a_wider_lock_is_ready_and_stays_as_it_is(
    tmp_path: Path, lock: str
) -> None:
    place = tmp_path / "of_the_tests"
    make(place, "jinja2-3.1.6", "ruamel.yaml-0.18", "pytest-9.0")
    stamp = place / environment.STAMP
    stamp.write_text("3.12\nthe lock of the tests\n")
    assert environment.provide(lock, str(place)) == str(place / "bin/python")
    assert stamp.read_text() == "3.12\nthe lock of the tests\n"


def test_one_whose_python_is_gone_is_not_ready(tmp_path: Path, lock: str) -> None:
    place = tmp_path / "good"
    make(place, "jinja2-3.1.6", "ruamel.yaml-0.18")
    (place / "bin/python").unlink()
    (place / "bin/python").symlink_to(tmp_path / "uninstalled")
    assert not environment.ready(lock, str(place))


def test_the_place(tmp_path: Path, lock: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = str(tmp_path)
    assert environment.place_for(root, lock, {}) == f"{root}/.venv"
    assert environment.place_for(root, lock, {"TOPGALLANT_VENV": "/x/../y"}) == "/y"
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != root and allowed(path, mode))
    cached = environment.place_for(root, lock, {"XDG_CACHE_HOME": "/cache"})
    assert cached.startswith("/cache/topgallant/")
    assert cached.endswith("/venv")
    make(tmp_path / ".venv", "jinja2-3.1.6", "ruamel.yaml-0.18")
    assert environment.place_for(root, lock, {}) == f"{root}/.venv"


def test_without_ensurepip_it_says_which_package_is_missing(
    tmp_path: Path, lock: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installer, "_has_venv", lambda: False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InfrastructureError, match=r"apt install python3\.\d+-venv .*uv on PATH"):
        Installer(str(tmp_path / "venv")).build(lock)


def test_without_ensurepip_uv_is_used(
    tmp_path: Path, lock: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installer, "_has_venv", lambda: False)
    uv = tmp_path / "uv"
    uv.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n[ $1 = venv ] && mkdir "$4"\nexit 0\n'
    )
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    new = Installer(str(tmp_path / "venv")).build(lock)
    assert os.path.isdir(new)
    made, installed = (tmp_path / "calls").read_text().splitlines()
    assert made.startswith("venv --python ")
    as_locked = f"--no-deps --require-hashes -r {lock}"
    assert installed == f"pip install {as_locked} --python {new}/bin/python"


def test_an_unwritable_place_is_one_message(tmp_path: Path, lock: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InfrastructureError, match=r"File exists|Not a directory"):
        environment.provide(lock, str(tmp_path / "file/venv"))

"""A small checkout of its own for the commands to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from projects.core.commands import session
from projects.core.toolbox import config

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """\
ci_presets:
  names: null
  few: {tests.users: 2, tests.sizes: [1]}
  many: {extends: few, tests.users: 200}
secrets: {token: token_file}
tests:
  users: 10
  sizes: [1, 100]
  name: "test-{@tests.users}"
  token: "*$@secrets.token"
"""

TEMPLATE = """\
config show:
  key: {{ tests.key | default("tests.users") }}
  project: demo
  _note: "for {@tests.name}"
"""


@pytest.fixture
def small_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a checkout with the projects `demo` and `sqlite_bench`; nothing is selected."""
    for name, users in (("demo", "10"), ("sqlite_bench", "7")):
        folder = tmp_path / "projects" / name / "testing"
        folder.mkdir(parents=True)
        (folder / "test.py").write_text("")
        (folder / "config.yaml").write_text(CONFIG.replace("users: 10", f"users: {users}"))
        (folder / "command_args.yaml.j2").write_text(TEMPLATE)
    monkeypatch.setattr(session, "CHECKOUT", tmp_path)
    monkeypatch.setattr(config, "_entrypoints", lambda _: ["prepare_ci", "test_ci"])
    monkeypatch.chdir(tmp_path)
    return tmp_path

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from projects.core.library import config

Make = Callable[..., Path]

CONFIG = """\
ci_presets:
  name: null
  names: null
  to_apply: []
  light:
    tests.users: 2
  lighter:
    extends: [light]
    tests.name: lighter

tests:
  users: 10
  name: default
  label: "@tests.name"
  sizes: [1, 10]
  kinds: [a, b]

exec_list:
  _only_: false
"""

ARGS = """\
greeter greet:
  name: "{{ tests.name }}"
  times: {{ tests.users }}
greeter greet/loud:
  name: LOUD
  _note: only shown
"""


@pytest.fixture(autouse=True)
def _no_configuration() -> Iterator[None]:
    config.__dict__.pop("project", None)
    yield
    config.__dict__.pop("project", None)
    for name in [name for name in sys.modules if name.startswith("projects.shop")]:
        del sys.modules[name]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Return the testing directory of a project of its own, in a checkout of its own."""
    testing = tmp_path / "checkout" / "projects" / "shop" / "testing"
    testing.mkdir(parents=True)
    (testing / "config.yaml").write_text(CONFIG)
    (testing / "command_args.yaml.j2").write_text(ARGS)
    return testing

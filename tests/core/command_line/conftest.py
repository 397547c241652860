"""A checkout of its own, whose code is imported beside ours, and calls that are only recorded."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import projects
from projects.core.commands import call, entrypoint

FILES = {
    "disk/testing/test.py": '''"""Measure a disk."""

def test_ci(mute: bool = False):
    """Run the test."""
    return {"muted": mute}

def rebuild(pr_number: int):
    """Build the image of a pull request."""

def late():
    """Import a sibling when called."""
    import sibling_of_disk
    return sibling_of_disk.NAME

class Entrypoint:
    def __init__(self):
        self.test_ci = test_ci
        self.rebuild = rebuild
        self.late = late
''',
    "disk/testing/sibling_of_disk.py": 'NAME = "sibling"\n',
    "disk/testing/config.yaml": "ci_presets:\n  name: null\n  quick: {a: 1}\n  full: {a: 2}\n",
    "disk/toolbox/rows.py": '''"""Rows of a table."""

def write(count: int, tag: str = "x"):
    """Write rows."""
    return [count, tag]

def show(count: int = 1):
    """Show rows."""
    return {"count": count, "tag": "01"}
show.__topgallant_query__ = True

def fail(output: str = ""):
    """Fail in the way that is asked for."""
    raise RuntimeError(output or "the test failed")
fail.__topgallant_query__ = True

def crash():
    """Have a bug."""
    return 1 / 0
crash.__topgallant_query__ = True
''',
    "disk/toolbox/alone.py": '''"""One command."""
def alone(word: str, *rest: int):
    """Do it."""
    return [word, *rest]
''',
    "broken/testing/test.py": '"""Not Python."""\n\ndef f(:\n',
}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name, text in FILES.items():
        path = tmp_path / "projects" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(projects, "__path__", [*projects.__path__, str(tmp_path / "projects")])
    monkeypatch.delenv("TOPGALLANT_PROJECT", raising=False)
    monkeypatch.delenv("TOPGALLANT_DEBUG", raising=False)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith(("projects.disk", "projects.broken", "sibling_of_disk")):
            del sys.modules[name]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was handed to the floor below, which is called without a run around it."""
    seen: list[dict[str, Any]] = []

    def command(
        function: Callable[..., Any], group: str, verb: str, arguments: Any, **more: Any
    ) -> Any:
        seen.append({"group": group, "verb": verb, "arguments": arguments, **more})
        return function(**arguments)

    def point(
        function: Callable[..., Any], project: str, verb: str, args: Any, kwargs: Any, **more: Any
    ) -> Any:
        seen.append({"project": project, "verb": verb, "args": args, "kwargs": kwargs, **more})
        return function(*args, **kwargs)

    monkeypatch.setattr(call, "call_command", command)
    monkeypatch.setattr(entrypoint, "call_entrypoint", point)
    return seen

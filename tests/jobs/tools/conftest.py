"""Test scripts, made in a temporary directory."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Make = Callable[..., Path]

RUN = "#!/bin/sh\nexit 0\n"


def parameter(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "doc": f"about {name}", **more}


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    there = tmp_path / "test_scripts"
    there.mkdir(mode=0o755)
    return there


@pytest.fixture
def make(scripts: Path) -> Make:
    """Return a function that makes a test script and returns its directory."""

    def make_it(name: str = "mine", spec: Any = None, *, run: str = RUN, **keys: Any) -> Path:
        there = scripts / name
        there.mkdir(mode=0o755, exist_ok=True)
        if spec is None:
            spec = {"description": "a test", "parameters": [], **keys}
        text = spec if isinstance(spec, str) else json.dumps(spec, indent=2)
        (there / "spec.json").write_text(text)
        (there / "spec.json").chmod(0o644)
        (there / "run").write_text(run)
        (there / "run").chmod(0o755)
        return there

    return make_it

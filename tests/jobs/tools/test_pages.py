"""What the pages on test scripts show is so."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import jsonschema_rs
import pytest

from projects.jobs.tools import options, spec, spec_model, texts, values
from projects.jobs.tools.parameters import TYPES
from projects.jobs.tools.spec import read_spec
from tests.conftest import CHECKOUT
from tests.jobs.tools.conftest import Make

HOW_TO = CHECKOUT / "docs" / "how-to" / "write-a-test-script.md"
REFERENCE = CHECKOUT / "docs" / "reference" / "spec_json.md"


def block(language: str) -> str:
    (text,) = re.findall(rf"```{language}\n(.*?)```", HOW_TO.read_text(), re.DOTALL)
    return str(text)


def test_the_test_script_that_is_shown_can_be_used_and_runs(make: Make, tmp_path: Path) -> None:
    tool = read_spec(make("copy_speed", block("json"), run=block("sh")))
    assert not tool.warnings
    jsonschema_rs.validate(spec_model.json_schema(), json.loads(block("json")))
    given = {"megabytes": 1, "sync": "end", "tags": ["warm", "cold"]}
    checked = tool.validate(given)
    environment = {"PATH": "/usr/bin:/bin"} | tool.environment(checked, str(tmp_path))
    done = subprocess.run(
        tool.command(checked), cwd=tmp_path, env=environment, capture_output=True, check=True
    )
    assert done.stdout == b"tags: warm,cold\n"
    (upload,) = tool.uploads
    assert json.loads((tmp_path / upload.results_file).read_text())["megabytes"] == 1
    shown = tool.validate(given | {"megabytes": 10})
    assert f"`run {' '.join(shown.arguments)}`" in HOW_TO.read_text()
    assert f"`{shown.json}`" in HOW_TO.read_text()


@pytest.mark.parametrize("key", spec_model.Spec.model_fields)
def test_every_key_is_in_the_reference(key: str) -> None:
    assert f"| `{key}` |" in REFERENCE.read_text()


def test_every_type_and_limit_is_in_the_reference() -> None:
    text = REFERENCE.read_text()
    assert all(f"| `{kind}` |" in text for kind in TYPES)
    assert all(f"`{name}`" in text for name in spec_model.Limits.model_fields)


def test_numbers_are_those_of_the_code() -> None:
    text = " ".join(REFERENCE.read_text().split())
    assert spec.MAX_BYTES == options.MAX_BYTES == 1024**2
    assert texts.MAX_VALUE_BYTES == 64 * 1024
    for said in (
        f"at most {values.MAX_PARAMETERS} |",
        f"together {values.MAX_JSON_BYTES:,} bytes",
        f"may take {options.TIMEOUT:g} s and print 1 MiB, {options.MAX_LINES:,} lines",
        f"kept for {options.KEPT:g} s",
        "at most 1 MiB and 32 levels",
    ):
        assert said in text

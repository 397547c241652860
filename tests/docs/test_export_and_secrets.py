"""The reference pages say what is so."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

from projects.core.destinations import manifest as manifests
from projects.core.secrets import forms, masking

PAGES = Path(__file__).parents[1].parent / "docs" / "reference"


def test_the_examples_of_the_secrets_page_run() -> None:
    masking.forget_all()
    try:
        result = doctest.testfile(str(PAGES / "secrets.md"), module_relative=False)
    finally:
        masking.forget_all()
    assert result.attempted > 4
    assert result.failed == 0


def test_the_numbers_of_the_secrets_page_are_the_code_s() -> None:
    text = " ".join((PAGES / "secrets.md").read_text().split())
    assert f"less than {forms.SHORTEST} characters" in text
    assert f"from {forms.SHORTEST_PART} characters on" in text
    assert f"at most {forms.PIECE - 1} bytes" in text


def test_the_manifest_of_the_export_page_is_one() -> None:
    (text,) = re.findall(r"```json\n(.*?)```", (PAGES / "export.md").read_text(), re.DOTALL)
    manifest = manifests.loads(text, "docs/reference/export.md")
    assert manifests.dumps(manifest) == text

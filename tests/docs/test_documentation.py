"""Every page: its links lead somewhere, its examples do what they show."""

from __future__ import annotations

import doctest
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from projects.core.secrets import masking
from tests.conftest import CHECKOUT

OWN_TESTS = {
    "docs/reference/command_args.md",
    "docs/tutorial/from-a-script-to-a-queue.md",  # tests/satellite/test_tutorial.py
}
"""Pages whose commands need files that the page shows, or a server; other tests do them."""

PAGES = sorted([*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md")])

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_SAME = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def name(page: Path) -> str:
    return str(page.relative_to(CHECKOUT))


def blocks(page: Path, language: str) -> list[str]:
    return [text for found, text in _BLOCK.findall(page.read_text()) if found == language]


@dataclass(frozen=True)
class Example:
    """A command of a console block and what it shows; a line of dots stands for anything."""

    command: str
    shown: str


def examples(block: str) -> list[Example]:
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    found = []
    for part in parts:
        lines = part.splitlines()
        end = next(n for n, line in enumerate(lines, 1) if not line.endswith("\\"))
        found.append(Example("\n".join(lines[:end]), "\n".join(lines[end:])))
    return found


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(page.read_text()):
        if "://" in target or target.startswith("#"):
            continue
        assert (page.parent / target.partition("#")[0]).exists(), f"{name(page)}: {target}"


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "yaml")], ids=name)
def test_yaml_can_be_read(page: Path) -> None:
    for text in blocks(page, "yaml"):
        yaml.safe_load(text)


@pytest.mark.parametrize("page", [p for p in PAGES if ">>> " in p.read_text()], ids=name)
def test_python_does_what_it_shows(page: Path) -> None:
    masking.forget_all()
    try:
        result = doctest.testfile(str(page), module_relative=False, optionflags=_SAME)
    finally:
        masking.forget_all()
    assert result.attempted
    assert not result.failed


@pytest.mark.parametrize(
    "page", [p for p in PAGES if blocks(p, "console") and name(p) not in OWN_TESTS], ids=name
)
def test_commands_do_what_they_show(page: Path, copy: Path, environ: dict[str, str]) -> None:
    checker = doctest.OutputChecker()
    for block in blocks(page, "console"):
        for example in examples(block):
            done = subprocess.run(
                ["/bin/bash", "-c", example.command],
                cwd=copy,
                env=environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                text=True,
                timeout=120,
                check=False,
            )
            said = f"$ {example.command}\n{done.stdout}"
            wanted = example.shown.strip() + "\n"
            assert checker.check_output(wanted, done.stdout.strip() + "\n", _SAME), said
            if "error:" not in wanted:
                assert done.returncode == 0, said

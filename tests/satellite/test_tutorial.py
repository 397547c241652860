"""The page `from a script to a queue`, done as it says beside a satellite that runs."""

from __future__ import annotations

import doctest
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT
from tests.docs.test_documentation import Example, blocks, examples
from tests.satellite.live import Live

PAGE = CHECKOUT / "docs/tutorial/from-a-script-to-a-queue.md"


@pytest.fixture
def satellite(tmp_path: Path) -> Iterator[Live]:
    live = Live(tmp_path)
    (tmp_path / "bin").symlink_to(CHECKOUT / "bin")
    path = f"{os.path.dirname(sys.executable)}:{live.environ['PATH']}"
    live.environ["PATH"] = path
    try:
        live.start()
        yield live
    finally:
        live.end()


def with_document(example: Example) -> Example:
    """Return an example whose here-document, up to END, belongs to the command."""
    if "<<'END'" not in example.command:
        return example
    document, _, shown = example.shown.partition("\nEND")
    return Example(f"{example.command}\n{document}\nEND", shown)


def test_the_page_does_what_it_shows(satellite: Live) -> None:
    checker = doctest.OutputChecker()
    shown = [example for block in blocks(PAGE, "console") for example in examples(block)]
    assert len(shown) > 5
    for example in map(with_document, shown):
        done = subprocess.run(
            ["/bin/bash", "-c", example.command],
            cwd=satellite.top,
            env=satellite.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        wanted = example.shown.strip() + "\n"
        assert checker.check_output(wanted, done.stdout.strip() + "\n", flags), (
            f"$ {example.command}\n{done.stdout}"
        )

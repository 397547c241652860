"""docs/reference/command_args.md: its examples print what it says."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_examples_print_what_the_page_says(checkout: Path, tmp_path: Path) -> None:
    blocks = BLOCK.findall((checkout / "docs/reference/command_args.md").read_text())
    written = {kind: text for kind, text in blocks if kind in ("yaml", "jinja")}
    (tmp_path / "config.yaml").write_text(written["yaml"])
    (tmp_path / "command_args.yaml.j2").write_text(written["jinja"])
    run = 0
    for call in "".join(text for kind, text in blocks if kind == "console").split("$ ")[1:]:
        line, _, expected = call.partition("\n")
        command, *words = shlex.split(line)
        if command == "export":
            variables = dict(word.split("=") for word in words) | {"TOPGALLANT_VENV": sys.prefix}
            continue
        done = subprocess.run(
            [sys.executable, checkout / command, *words],
            cwd=tmp_path,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.stdout == expected, line
        run += 1
    assert run == 7

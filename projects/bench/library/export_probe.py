"""Our export of a directory to S3, in a process of its own, with secrets to look for."""

from __future__ import annotations

import sys
from pathlib import Path

from projects.core.destinations.export import export
from projects.core.destinations.registry import open_destination
from projects.core.secrets import masking

SECRETS = 20
"""Made-up secrets that every file is searched for, as in a run with a secrets directory."""


def main(root: str, address: str) -> None:
    """Export `root` to `address`."""
    for number in range(SECRETS):
        masking.register(f"made-up-{number:04d}-{number * 7919:08x}", f"secret {number}")
    export(Path(root), open_destination(address), run_id="bench")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Measure the thing under test: here, how fast this machine hashes."""

from __future__ import annotations

import json
import logging
import time
from typing import Literal

from projects.core.library import env

logger = logging.getLogger(__name__)

BYTES_PER_MEGABYTE = 1_000_000


def measure(megabytes: int, algorithm: Literal["sha256", "sha1", "blake2b"] = "sha256") -> None:
    """Measure how many megabytes per second are hashed.

    The artifact directory becomes a result: settings.yaml, results.json, exit_code.

    Args:
      megabytes: how much to hash
      algorithm: which hash to compute
    """
    import hashlib

    from projects.core.library import steps

    result = env.ARTIFACT_DIR
    settings = f"algorithm: {algorithm}\nmegabytes: {megabytes}\n"
    (result / "settings.yaml").write_text(settings, encoding="utf-8")

    block, digest = bytes(BYTES_PER_MEGABYTE), hashlib.new(algorithm)
    start = time.perf_counter()
    for _ in steps.track(range(megabytes), "hashing"):
        digest.update(block)
    seconds = time.perf_counter() - start

    numbers = {"megabytes_per_second": megabytes / seconds, "seconds": seconds}
    (result / "results.json").write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")
    (result / "exit_code").write_text("0\n", encoding="utf-8")
    logger.info("%s: %.0f MB/s", algorithm, numbers["megabytes_per_second"])

"""How long an export to a real S3 server takes: many small files, few large ones; beside others."""

from __future__ import annotations

import itertools
import random
import sys
from typing import TYPE_CHECKING, Any

from projects.bench.library import peers as peers_of
from projects.bench.library.alternation import Probe
from projects.bench.library.environments import our_environment, peers_environment
from projects.bench.library.timing import seconds_of_process
from projects.core.errors import TopgallantError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from projects.bench.library.radosgw import Server

OURS = "topgallant"
LOOP = "boto3 in a loop"
PEERS = {"awscli": "aws s3 cp --recursive", "obstore": "obstore", "s5cmd": "s5cmd cp"}
SMALL, LARGE = "small files", "large files"

BUCKET = "bench"
LARGE_FILES = 8
_PER_DIRECTORY = 100
_SMALL_BYTES = 4096
_BLOCK = 1024 * 1024
_TIMEOUT = 1800.0


def case(contestant: str, what: str) -> str:
    """Return the name of a case: `obstore, small files`."""
    return f"{contestant}, {what}"


class NotAllThere(TopgallantError):
    """A contestant did not upload everything: its time would say nothing."""


def write_sources(root: Path, files: int, megabytes: int, seed: int = 1) -> dict[str, Path]:
    """Write made-up logs: `files` of 4 KiB, and LARGE_FILES of together `megabytes` MiB."""
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    small, large = root / "small", root / "large"
    for number in range(files):
        folder = small / f"{number // _PER_DIRECTORY:03d}__step"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:05d}.log").write_bytes(_lines(chance, _SMALL_BYTES))
    large.mkdir(parents=True)
    for number in range(LARGE_FILES):
        with (large / f"{number}.log").open("wb") as file:
            for _ in range(megabytes // LARGE_FILES):
                file.write(_lines(chance, _BLOCK))
    return {SMALL: small, LARGE: large}


def _lines(chance: random.Random, size: int) -> bytes:
    """Return `size` bytes of lines like those of a log, no two the same."""
    line = b"2026-01-01T00:00:00.000000Z worker %d: request %s took %.3f ms\n"
    made = b""
    while len(made) < min(size, 8192):
        token = chance.randbytes(8).hex().encode()
        made += line % (chance.randrange(64), token, chance.random() * 100)
    # Large data would take longer to make than to send: what differs is each block's beginning.
    return (made * (size // len(made) + 1))[:size]


def probes(
    sources: Mapping[str, Path],
    server: Server,
    peers: Collection[str],
    work: Path,
    environ: Mapping[str, str],
) -> list[Probe]:
    """Return one probe for each contestant; each uploads to an empty bucket, a process each."""
    ours, loop = (f"projects.bench.library.{name}_probe" for name in ("export", "boto3_loop"))
    places = {
        OURS: [sys.executable, "-m", ours, "{root}", "s3://{bucket}/{prefix}"],
        LOOP: [sys.executable, "-m", loop, "{root}", "{bucket}", "{prefix}"],
        PEERS["awscli"]: [
            peers_of.program("aws"), "s3", "cp", "--recursive", "--quiet", "{root}",
            "s3://{bucket}/{prefix}",
        ],
        PEERS["obstore"]: [
            peers_of.program("python"), "-m", "projects.bench.peers.obstore_probe", "{root}",
            "{bucket}", "{prefix}",
        ],
        PEERS["s5cmd"]: [
            peers_of.program("s5cmd"), "--endpoint-url", server.endpoint, "--log", "error", "cp",
            "{root}/", "s3://{bucket}/{prefix}/",
        ],
    }  # fmt: skip
    wanted = [OURS, LOOP, *(PEERS[peer] for peer in PEERS if peer in peers)]
    numbers = itertools.count()

    def probe(contestant: str) -> Probe:
        is_peer = contestant in PEERS.values()
        theirs = peers_environment(environ, work) if is_peer else None
        environment = (theirs or our_environment(environ, work / "artifacts")) | server.environment

        def measure() -> dict[str, float]:
            took = {}
            for what, root in sources.items():
                prefix = f"export-{next(numbers)}"
                names = {"root": str(root), "bucket": BUCKET, "prefix": prefix}
                argv = [word.format_map(names) for word in places[contestant]]
                took[case(contestant, what)] = seconds_of_process(
                    argv, environment=environment, cwd=peers_of.CHECKOUT, timeout=_TIMEOUT
                )
                _compare_and_empty(server, root, prefix)
            return took

        return Probe(contestant, measure, may_fail=is_peer)

    return [probe(contestant) for contestant in wanted]


def make_bucket(server: Server) -> None:
    """Make the bucket of the contestants."""
    _client(server).create_bucket(Bucket=BUCKET)


def _compare_and_empty(server: Server, root: Path, prefix: str) -> None:
    """Raise NotAllThere unless every file arrived in its size; then delete all."""
    client = _client(server)
    sizes = {}
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for one in page.get("Contents", ()):
            sizes[one["Key"]] = one["Size"]
        keys = [{"Key": one["Key"]} for one in page.get("Contents", ())]
        if keys:
            client.delete_objects(Bucket=BUCKET, Delete={"Objects": keys, "Quiet": True})
    server.collect_garbage()
    for path in root.rglob("*"):
        key = f"{prefix}/{path.relative_to(root)}"
        if path.is_file() and sizes.get(key) != path.stat().st_size:
            raise NotAllThere(f"{key} has {sizes.get(key)} bytes, not {path.stat().st_size}")


def _client(server: Server) -> Any:
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        region_name="us-east-1",
    )

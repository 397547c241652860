"""From a run to a bucket, killed half-way, and back: the same KPIs, byte for byte."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

from projects.bench.library.radosgw import Server
from projects.core.artifacts.directory import COUNTER
from tests.components.s3_proxy import Proxy, proxied
from tests.end_to_end.conftest import Call

pytestmark = pytest.mark.xdist_group("s3")

HALF = 30
FAST = (
    "quick",
    "tests.seconds=0.02",
    "tests.warmup_transactions=1",
    "tests.synchronous_levels=off",
)
Ended = subprocess.CompletedProcess[str]


@pytest.fixture
def environ(tmp_path: Path, s3: Server) -> dict[str, str]:
    """Return the environment of a user who has set up S3, and nothing else."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "home"),
        "LANG": "C.UTF-8",
        "USER": "ada",
        "TOPGALLANT_VENV": sys.prefix,
        "TOPGALLANT_BASE_DIR": str(tmp_path / "runs"),
    } | s3.environment


@pytest.fixture
def run(call: Call, tmp_path: Path) -> Path:
    """Return the directory of a run of sqlite_bench."""
    done = call("sqlite_bench", "test_ci", *FAST)
    assert done.returncode == 0, done.stderr
    return (tmp_path / "runs" / "latest").resolve()


class Exporting:
    """The export of a run by way of a proxy, to `place`."""

    def __init__(self, call: Call, run: Path, bucket: str, proxy: Proxy) -> None:
        self.bucket, self.proxy = bucket, proxy
        self.folder = f"sqlite_bench/local/ada/{run.name}/"
        self.place = f"s3://{bucket}/{self.folder}".rstrip("/")
        to = ["export_artifacts.enabled=true", f"export_artifacts.bucket={bucket}"]
        self.words = ["sqlite_bench", "export_artifacts", str(run), *to]
        self._call = call

    def to_its_end(self, *words: str, **more: str) -> Ended:
        return self._call(*self.words, *words, **{"AWS_ENDPOINT_URL": self.proxy.endpoint} | more)

    def killed_after(self, files: int, copy: Path, environ: dict[str, str]) -> int:
        """Kill all its processes when so many files are stored; return how it ended."""
        begun: list[subprocess.Popen[bytes]] = []
        self.proxy.begin(files, lambda: os.killpg(begun[0].pid, signal.SIGKILL))
        begun.append(
            subprocess.Popen(
                [sys.executable, "./run_toolbox.py", *self.words],
                cwd=copy,
                env=environ | {"AWS_ENDPOINT_URL": self.proxy.endpoint},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        )
        return begun[0].wait(60)


@pytest.fixture
def export(call: Call, run: Path, bucket: str, s3: Server) -> Iterator[Exporting]:
    with proxied(s3) as proxy:
        yield Exporting(call, run, bucket, proxy)


def files_below(directory: Path) -> set[str]:
    """Return what is exported: all but the counter of numbered directories."""
    files = (one for one in directory.rglob("*") if one.is_file() and one.name != COUNTER)
    return {str(one.relative_to(directory)) for one in files}


def payload_of(run: Path) -> bytes:
    """Return the KPIs as the run has left them."""
    (found,) = run.glob("*__plots/lts_payload.json")
    return found.read_bytes()


@pytest.fixture
def replot(call: Call, tmp_path: Path) -> Callable[..., tuple[Ended, Path]]:
    """Return a function that replots where nothing is known, and returns the run that it made."""
    there = tmp_path / "elsewhere"

    def replot_it(*words: str, **more: str) -> tuple[Ended, Path]:
        place = {"HOME": str(there / "home"), "TOPGALLANT_BASE_DIR": str(there / "runs")}
        return call("sqlite_bench", "replot", *words, **place | more), there / "runs" / "latest"

    return replot_it


def test_an_export_killed_half_way_goes_on_and_a_replot_gives_the_same_kpis(
    export: Exporting,
    replot: Callable[..., tuple[Ended, Path]],
    copy: Path,
    environ: dict[str, str],
) -> None:
    run = Path(export.words[2])
    assert export.killed_after(HALF, copy, environ) == -signal.SIGKILL
    before = export.proxy.stored
    assert len(before) == HALF
    done, _ = replot(export.place)
    assert done.returncode == 2
    assert f"{export.place}: its export has not ended; export it again, it goes on" in done.stderr

    export.proxy.begin()
    done = export.to_its_end()
    assert done.returncode == 0, done.stderr
    assert f"{HALF} were there." in done.stderr
    assert not set(before) & set(export.proxy.stored)
    listed = {export.folder + name for name in files_below(run)}
    assert {*before, *export.proxy.stored} == listed | {
        f"{export.folder}manifest.json",
        "index.html",
    }

    page = (run / "export.url").read_text().strip()
    assert page.startswith(f"{export.proxy.endpoint}/{export.bucket}/index.html#")
    for source, mode, endpoint, said in (
        (export.place, "prefer_cache", environ["AWS_ENDPOINT_URL"], "files fetched: "),
        (page, "prefer_cache", "", "files fetched: 1, from"),
        (page, "important", "", "from the cache: 0"),
        (page, "all", "", "from the cache: 0"),
        (export.place, "cache_only", "http://127.0.0.1:9", "never fetched"),
        (page, "cache_only", "", "files fetched: 0, from"),
        (f"file://{run}", "prefer_cache", "", "4 of them parsed"),
        (str(run), "prefer_cache", "", "4 of them parsed"),
    ):
        word = f"matbench.download.mode={mode}"
        done, again = replot(source, word, AWS_ENDPOINT_URL=endpoint)
        assert said in done.stderr, (source, mode)
        assert (again / "source_url").read_text() == f"{source}\n"
        if said == "never fetched":  # by that address
            assert done.returncode == 3
        else:
            assert done.returncode == 0, done.stderr
            assert payload_of(again) == payload_of(run), (source, mode)


def refused(done: Ended, said: str) -> None:
    """Check that the last line, and nothing worse, says why nothing came of it."""
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 2, done.stderr
    assert last.startswith("error: ")
    assert said in last
    assert "Traceback" not in done.stderr


def test_a_cut_connection_is_said_and_the_next_export_goes_on(export: Exporting) -> None:
    export.proxy.begin(HALF)
    refused(export.to_its_end(), "exporting again goes on from there")
    assert not Path(export.words[2], "export.url").exists()
    export.proxy.begin()
    assert f"{HALF} were there." in export.to_its_end().stderr


def test_an_export_that_cannot_be_is_said_in_one_line(export: Exporting) -> None:
    nobody = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    for words, more, said in (
        (["export_artifacts.bucket=no-such-bucket"], {}, "there is no bucket of that name"),
        ([], {"AWS_SECRET_ACCESS_KEY": "wrong-wrong"}, "the secret key does not belong to the"),
        ([], {"AWS_ACCESS_KEY_ID": "NOBODY"}, "the access key is not known there"),
        ([], nobody, "no credentials"),
        ([], {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "nobody answers"),
        (["secrets.aws_credentials=awscred"], {}, "set SQLITE_BENCH_SECRET_PATH"),
    ):
        done = export.to_its_end(*words, **more)
        refused(done, said)
        assert not Path(export.words[2], "export.url").exists()


def test_a_replot_that_cannot_be_is_said_in_one_line(
    export: Exporting, replot: Callable[..., tuple[Ended, Path]]
) -> None:
    assert export.to_its_end().returncode == 0
    boto3.client("s3").put_object(
        Bucket=export.bucket,
        Key=f"{export.folder}001__sqlite__measure_delete_off_1/results.json",
        Body=b"{}",
    )
    nobody = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    for source, more, said in (
        (export.place, {}, "results.json' has 2 bytes with sha256"),
        (f"s3://{export.bucket}/nothing", {}, "there is nothing below"),
        ("s3://no-such-bucket/x", {}, "there is no bucket of that name"),
        (export.place, nobody, "it is not public, and there are no credentials"),
        (export.place, {"AWS_SECRET_ACCESS_KEY": "wrong-wrong"}, "the secret key does not belong"),
        (export.place, {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "nobody answers"),
    ):
        refused(replot(source, **more)[0], said)

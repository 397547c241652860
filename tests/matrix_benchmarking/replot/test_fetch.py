"""What is needed comes from a bucket or a directory, once, verified, and nothing else."""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from projects.bench.library.radosgw import Server
from projects.core.destinations import s3_client
from projects.core.destinations.export import export
from projects.core.destinations.s3 import S3
from projects.core.destinations.s3_client import Access
from projects.core.errors import ExportRefused, InfrastructureError, NoResults, UsageError
from projects.matrix_benchmarking.replot import fetch as fetching
from projects.matrix_benchmarking.replot import origin
from projects.matrix_benchmarking.replot.cache import Cache
from projects.matrix_benchmarking.replot.fetch import (
    Fetched,
    How,
    fetch,
    fetch_entries,
    mode_of,
)
from projects.matrix_benchmarking.replot.source import parse_source
from projects.matrix_benchmarking.replot.url_file import Entry

pytestmark = pytest.mark.xdist_group("s3")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    root = tmp_path / "run"
    for number in range(3):
        result = root / f"{number:03d}__test"
        result.mkdir(parents=True)
        (result / "settings.yaml").write_text(f"number: {number}\n")
        (result / "exit_code").write_text(f"{number}\n")
        (result / "results.json").write_text(f"[{number}]")
        (result / "_run.log").write_text("long\n" * 1000)
    return root


@pytest.fixture
def how(tmp_path: Path) -> How:
    return How(["results.json"], cache=Cache(tmp_path / "cache"))


def files(path: Path) -> set[str]:
    return {str(one.relative_to(path)) for one in path.rglob("*") if one.is_file()}


NEEDED = {
    f"{n:03d}__test/{name}"
    for n in range(3)
    for name in ("settings.yaml", "exit_code", "results.json")
} | {"source_url"}


def counts(fetched: Fetched) -> tuple[int, int]:
    return fetched.fetched, fetched.from_cache


@pytest.fixture
def address(run: Path, bucket: str) -> str:
    return export(run, S3(f"s3://{bucket}/team/run"), run_id="run").address


def test_what_parsers_need_of_an_export(
    address: str, bucket: str, run: Path, how: How, tmp_path: Path
) -> None:
    into = tmp_path / "into"
    assert counts(fetch(parse_source(address), into, how)) == (10, 0)
    assert files(into) == NEEDED | {"manifest.json"}
    assert (into / "source_url").read_text() == f"{address}\n"
    for name in NEEDED - {"source_url"}:
        assert (into / name).read_bytes() == (run / name).read_bytes()
    second = fetch(parse_source(f"s3://{bucket}/team/run/"), tmp_path / "second", how)
    assert second.fetched <= 10


def test_a_second_time_only_the_manifest_is_fetched(address: str, how: How, tmp_path: Path) -> None:
    source = parse_source(address)
    fetch(source, tmp_path / "one", how)
    assert counts(fetch(source, tmp_path / "two", how)) == (1, 9)
    assert files(tmp_path / "two") == NEEDED | {"manifest.json"}


def test_modes(address: str, how: How, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = parse_source(address)
    with pytest.raises(NoResults, match="never fetched, and the mode is cache_only"):
        fetch(source, tmp_path / "a", dataclasses.replace(how, mode="cache_only"))
    fetch(source, tmp_path / "b", how)
    again = fetch(source, tmp_path / "c", dataclasses.replace(how, mode="important"))
    assert counts(again) == (10, 0)
    everything = fetch(source, tmp_path / "d", dataclasses.replace(how, mode="all"))
    assert counts(everything) == (13, 0)
    assert "000__test/_run.log" in files(tmp_path / "d")

    def refused(*given: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(origin, "Connection", refused)
    offline = fetch(source, tmp_path / "e", dataclasses.replace(how, mode="cache_only"))
    assert counts(offline) == (0, 10)
    assert files(tmp_path / "e") == files(tmp_path / "b")


def test_a_mode_is_named() -> None:
    assert mode_of("all") == "all"
    with pytest.raises(UsageError, match='unknown mode "importent"; did you mean "important"'):
        mode_of("importent")


def test_more_keys_than_one_page_without_any_manifest(
    bucket: str, how: How, tmp_path: Path
) -> None:
    client = boto3.client("s3")
    for number in range(1050):
        client.put_object(Bucket=bucket, Key=f"raw/{number:04d}/exit_code", Body=b"0")
    client.put_object(Bucket=bucket, Key="raw/folder/", Body=b"")
    source = parse_source(f"s3://{bucket}/raw")
    assert counts(fetch(source, tmp_path / "one", how)) == (1050, 0)
    assert counts(fetch(source, tmp_path / "two", how)) == (0, 1050)
    client.put_object(Bucket=bucket, Key="raw/0007/exit_code", Body=b"1")
    assert counts(fetch(source, tmp_path / "three", how)) == (1, 1049)
    assert (tmp_path / "three" / "0007" / "exit_code").read_bytes() == b"1"


def test_an_export_that_has_not_ended_is_refused_and_a_mere_listing_is_told(
    bucket: str, run: Path, how: How, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = boto3.client("s3")
    export(run, S3(f"s3://{bucket}/team/run/test"))
    client.put_object(Bucket=bucket, Key="team/run/plot/exit_code", Body=b"0")
    lock = {"Bucket": bucket, "Key": "team/run/plot/.topgallant-export/lock"}
    client.put_object(**lock, Body=b"{}")
    for address, folder in (("team/run", "team/run/plot"), ("team/run/plot", "team/run/plot")):
        source = parse_source(f"s3://{bucket}/{address}")
        with pytest.raises(InfrastructureError, match=f"/{folder}: its export has not ended"):
            fetch(source, tmp_path / "into", how)
    client.delete_object(**lock)
    assert not caplog.messages
    fetch(parse_source(f"s3://{bucket}/team/run/plot"), tmp_path / "into", how)
    assert "has no manifest.json: files are taken as they are listed" in caplog.text


def test_the_server_in_an_address_is_asked_whatever_is_configured(
    address: str, how: How, tmp_path: Path
) -> None:
    elsewhere = dataclasses.replace(how, access=Access(endpoint="http://127.0.0.1:9"))
    assert fetch(parse_source(address), tmp_path / "into", elsewhere).fetched == 10


def test_exports_of_steps_below_each_other_are_verified_by_their_manifests(
    bucket: str, run: Path, how: How, tmp_path: Path
) -> None:
    for step in ("plot", "test"):
        export(run, S3(f"s3://{bucket}/team/run/{step}"))
    source = parse_source(f"s3://{bucket}/team/run")
    assert sum(counts(fetch(source, tmp_path / "into", how))) == 20
    boto3.client("s3").put_object(
        Bucket=bucket, Key="team/run/plot/000__test/exit_code", Body=b"changed"
    )
    with pytest.raises(ExportRefused, match=r"plot/000__test/exit_code' is not what plot/manif"):
        fetch(source, tmp_path / "again", how)


def test_what_is_not_what_the_manifest_says_is_refused(
    address: str, bucket: str, how: How, tmp_path: Path
) -> None:
    client = boto3.client("s3")
    client.put_object(Bucket=bucket, Key="team/run/000__test/results.json", Body=b"[9]")
    with pytest.raises(ExportRefused, match=r"results.json' has 3 bytes with sha256"):
        fetch(parse_source(address), tmp_path / "into", how)
    assert not (tmp_path / "into" / "000__test" / "results.json").exists()
    client.delete_object(Bucket=bucket, Key="team/run/000__test/results.json")
    with pytest.raises(InfrastructureError, match="is not there, though it was listed"):
        fetch(parse_source(address), tmp_path / "into", how)


def test_what_an_earlier_export_has_left_is_not_fetched(
    address: str, bucket: str, run: Path, how: How, tmp_path: Path
) -> None:
    (run / "002__test" / "exit_code").unlink()
    export(run, S3(f"s3://{bucket}/team/run"))
    fetch(parse_source(address), tmp_path / "into", how)
    assert not (tmp_path / "into" / "002__test" / "exit_code").exists()


@pytest.mark.parametrize("key", ["raw/../../exit_code", "raw//etc/exit_code", "raw/./exit_code"])
def test_a_key_that_leads_out_is_refused(
    s3: Server, key: str, how: How, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_client.Connection, "check", lambda self: None)
    monkeypatch.setattr(origin, "objects", lambda *_: iter([(key, 1, "e")]))
    monkeypatch.setattr(origin.Exported, "_get", lambda *_, **more: None)
    with pytest.raises(ExportRefused, match="leads out of the directory"):
        fetch(parse_source("s3://bucket/raw"), tmp_path / "into", how)
    assert not (tmp_path / "into").exists()


def test_too_much_is_refused_before_it_is_fetched(
    address: str, how: How, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MOST_BYTES", 10)
    with pytest.raises(ExportRefused, match="bytes are to be fetched, of at most 10"):
        fetch(parse_source(address), tmp_path / "into", how)


def test_what_is_not_there_is_said(bucket: str, how: How, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is nothing below s3://"):
        fetch(parse_source(f"s3://{bucket}/nothing"), tmp_path / "into", how)
    with pytest.raises(InfrastructureError, match="there is no bucket of that name"):
        fetch(parse_source("s3://no-such-bucket/x"), tmp_path / "into", how)
    with pytest.raises(UsageError, match="gone does not exist"):
        fetch(parse_source(str(tmp_path / "gone")), tmp_path / "into", how)


KILLED = """
import os, signal, sys
from pathlib import Path
from projects.matrix_benchmarking.replot.cache import Cache
from projects.matrix_benchmarking.replot.fetch import How, fetch
from projects.matrix_benchmarking.replot.source import parse_source

def progress(done, total, unit):
    if done == total // 2:
        os.kill(os.getpid(), signal.SIGKILL)

how = How(["results.json"], cache=Cache(Path(sys.argv[3])), progress=progress)
fetch(parse_source(sys.argv[1]), Path(sys.argv[2]), how)
"""


def test_a_fetch_that_was_killed_goes_on(
    address: str, run: Path, how: How, tmp_path: Path, checkout: Path
) -> None:
    assert how.cache is not None
    words = [sys.executable, "-c", KILLED, address, str(tmp_path / "into"), str(how.cache.root)]
    ended = subprocess.run(words, cwd=checkout, check=False, timeout=120)
    assert ended.returncode == -signal.SIGKILL
    fetched = fetch(parse_source(address), tmp_path / "into", how)
    assert fetched.from_cache > 0
    for name in NEEDED - {"source_url"}:
        assert (tmp_path / "into" / name).read_bytes() == (run / name).read_bytes()


def test_a_directory_is_copied_but_not_into_itself(run: Path, how: How, tmp_path: Path) -> None:
    fetched = fetch(parse_source(run.as_uri()), tmp_path / "into", how)
    assert counts(fetched) == (9, 0)
    assert files(tmp_path / "into") == NEEDED
    assert (tmp_path / "into" / "source_url").read_text() == f"{run.as_uri()}\n"
    for into in (run, run / "below"):
        with pytest.raises(UsageError, match="is to be copied to it"):
            fetch(parse_source(str(run)), into, how)


def test_entries_get_their_directory_and_settings(
    address: str, run: Path, how: How, tmp_path: Path
) -> None:
    entries = [
        Entry(parse_source(address), "expe/v1", {"version": 1, "old": True}),
        Entry(parse_source(str(run)), "expe/v2"),
    ]
    assert len(fetch_entries(entries, tmp_path / "into", how)) == 2
    settings = tmp_path / "into" / "expe" / "v1" / "settings.from_url_file.yaml"
    assert yaml.safe_load(settings.read_text()) == {"version": 1, "old": True}
    assert files(tmp_path / "into" / "expe" / "v2") == NEEDED

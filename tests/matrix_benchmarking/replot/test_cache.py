"""The cache holds contents by their hash, survives damage and kills, and stays below its bound."""

from __future__ import annotations

import os
import threading
from hashlib import sha256
from pathlib import Path

import pytest

from projects.core.errors import InfrastructureError
from projects.matrix_benchmarking.replot import cache as caches
from projects.matrix_benchmarking.replot.cache import Cache, default_root
from projects.matrix_benchmarking.replot.origin import Remote


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    made = Cache(tmp_path / "cache", most_bytes=1000)
    made.prepare()
    return made


def added(cache: Cache, tmp_path: Path, content: bytes) -> str:
    source = tmp_path / "source"
    source.write_bytes(content)
    digest = sha256(content).hexdigest()
    cache.add(source, digest)
    return digest


def test_a_content_comes_back(cache: Cache, tmp_path: Path) -> None:
    digest = added(cache, tmp_path, b"content")
    assert cache.copy_to(tmp_path / "target", digest)
    assert (tmp_path / "target").read_bytes() == b"content"
    assert not cache.copy_to(tmp_path / "other", "0" * 64)


def test_a_damaged_content_is_thrown_away(cache: Cache, tmp_path: Path) -> None:
    digest = added(cache, tmp_path, b"content")
    kept = cache.root / "contents" / digest[:2] / digest
    kept.write_bytes(b"contenX")
    assert not cache.copy_to(tmp_path / "target", digest)
    assert not kept.exists()
    assert not (tmp_path / "target").exists()


def test_what_has_another_hash_is_not_kept(cache: Cache, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"content")
    cache.add(tmp_path / "source", "0" * 64)
    assert not cache.copy_to(tmp_path / "target", "0" * 64)


def test_what_was_not_used_for_longest_goes_first(cache: Cache, tmp_path: Path) -> None:
    digests = [added(cache, tmp_path, bytes([number]) * 300) for number in range(5)]
    for age, digest in enumerate(digests):
        os.utime(cache.root / "contents" / digest[:2] / digest, (1000 + age, 1000 + age))
    assert cache.copy_to(tmp_path / "target", digests[0])
    cache.shrink()
    left = [cache.copy_to(tmp_path / "target", digest) for digest in digests]
    assert left == [True, False, False, True, True]


def test_what_a_killed_process_has_left_goes_after_a_day(cache: Cache) -> None:
    old, new = (cache.root / "contents" / f"new-{name}" for name in ("old", "new"))
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (1000, 1000))
    cache.shrink()
    assert (old.exists(), new.exists()) == (False, True)


def test_a_listing_comes_back_and_a_damaged_one_counts_as_none(cache: Cache) -> None:
    files = [Remote("a/\udcff", 1, "0" * 64, "etag"), Remote("b", 2)]
    assert cache.read_listing("s3://b/x") is None
    cache.write_listing("s3://b/x", files)
    assert cache.read_listing("s3://b/x") == files
    assert cache.read_listing("s3://b/y") is None
    for path in (cache.root / "listings").iterdir():
        path.write_text('{"schema": 1')
    assert cache.read_listing("s3://b/x") is None


def test_many_threads_add_use_and_shrink_at_once(cache: Cache, tmp_path: Path) -> None:
    problems: list[BaseException] = []

    def work(number: int) -> None:
        try:
            place = tmp_path / str(number)
            place.mkdir()
            for turn in range(30):
                digest = added(cache, place, bytes([turn]) * 200)
                if cache.copy_to(place / "target", digest):
                    assert (place / "target").read_bytes() == bytes([turn]) * 200
                cache.shrink()
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_nobody_else_may_read_it(cache: Cache) -> None:
    for path in (cache.root, cache.root / "contents"):
        assert path.stat().st_mode & 0o077 == 0


def test_a_cache_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InfrastructureError, match="Not a directory"):
        Cache(tmp_path / "file" / "cache").prepare()


def test_it_is_where_xdg_says() -> None:
    assert default_root({"XDG_CACHE_HOME": "/c"}) == Path("/c/topgallant/replot")
    assert default_root({"XDG_CACHE_HOME": "relative"}) == Path.home() / ".cache/topgallant/replot"
    assert caches.MOST_BYTES == 10 * 1024**3

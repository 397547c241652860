"""Sources brought to a directory: what is needed, in parallel, verified, from the cache first."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from projects.core.destinations import manifest as manifests
from projects.core.destinations.hub_address import HubRun
from projects.core.destinations.s3_client import Access, explained
from projects.core.errors import (
    ExportRefused,
    NoResults,
    UsageError,
    unknown,
    unreadable,
)
from projects.matrix_benchmarking.replot.cache import Cache, copy, default_root
from projects.matrix_benchmarking.replot.origin import WORKERS, Exported, Folder, InHub
from projects.matrix_benchmarking.replot.source import Bucket, Directory
from projects.matrix_benchmarking.replot.wanted import wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from projects.matrix_benchmarking.replot.origin import Origin, Remote
    from projects.matrix_benchmarking.replot.source import Source
    from projects.matrix_benchmarking.replot.url_file import Entry
    from projects.matrix_benchmarking.results.result import Scalar

Mode = Literal["cache_only", "prefer_cache", "important", "all"]
"""cache_only: nothing is asked; prefer_cache: what is not in the cache is fetched; important: all
that parsers need is fetched again; all: every file is fetched."""

SOURCE_URL = "source_url"
"""The file that says where the others come from."""

SETTINGS = "settings.from_url_file.yaml"

LARGEST_FILE = 16 * 1024**3
MOST_BYTES = 256 * 1024**3
"""Bytes of one file and of all files of a fetch; more is refused before anything is fetched."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A source that is here now: files `fetched` and `from_cache`, `bytes` of both."""

    source: Source
    directory: Path
    fetched: int
    from_cache: int
    bytes: int


def show_no_progress(done: int, total: int, unit: str) -> None:
    """Do nothing with the progress."""


@dataclass(frozen=True, slots=True)
class How:
    """How to fetch: which files parsers read, the mode, the way to S3, the cache, the progress."""

    important: Sequence[str] = ()
    mode: Mode = "prefer_cache"
    access: Access = Access()  # noqa: RUF009 - it is frozen
    cache: Cache | None = None
    progress: Callable[[int, int, str], None] = show_no_progress


def mode_of(text: str) -> Mode:
    """Return the mode of that name; UsageError with the nearest one if there is none."""
    modes: tuple[Mode, ...] = get_args(Mode)
    for mode in modes:
        if mode == text:
            return mode
    raise UsageError(unknown("mode", text, modes))


def fetch(source: Source, into: Path, how: How | None = None) -> Fetched:
    """Bring what is needed of a source into the directory `into`, and write `source_url` there.

    Every file is compared with the manifest's SHA-256 where there is a manifest, else with the one
    it was stored with, if the server has it.

    Errors
    ------
    UsageError
        Nothing is there, or `into` is the source itself.
    InfrastructureError
        Network, credentials, disk; a file is missing that is listed.
    ExportRefused
        A file isn't what the manifest says, a path leads out, there is more than MOST_BYTES.
    NoResults
        `cache_only`, and the cache has not all of it.
    """
    how = how or How()
    if isinstance(source, Directory):
        if os.path.realpath(into).startswith(os.path.realpath(source.path) + os.sep) or (
            os.path.realpath(into) == os.path.realpath(source.path)
        ):
            raise UsageError(f"{into} is in {source.given}, which is to be copied to it")
        fetched = _fetch_directory(source, into, how)
    else:
        cache = how.cache or Cache(default_root(os.environ))
        fetched = _Fetch(source, into, how, cache).run()
    write_source_url(into, source.given)
    return fetched


def fetch_entries(entries: Sequence[Entry], into: Path, how: How | None = None) -> list[Fetched]:
    """Fetch each entry of an URL file into its `dest_dir`, with its settings beside it."""
    done = []
    for entry in entries:
        directory = into / entry.dest_dir
        done.append(fetch(entry.source, directory, how))
        if entry.settings:
            _write_settings(directory, entry.settings)
    return done


def write_source_url(directory: Path, given: str) -> None:
    """Write where the files of a directory come from."""
    path = directory / SOURCE_URL
    try:
        directory.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{given}\n", encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise unreadable(path, error) from None


def _write_settings(directory: Path, settings: Mapping[str, Scalar]) -> None:
    import yaml

    text = yaml.dump(dict(settings), Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True)
    (directory / SETTINGS).write_text(text, encoding="utf-8")


def _fetch_directory(source: Directory, into: Path, how: How) -> Fetched:
    origin = Folder(source)
    files = _chosen(origin.files(), how)
    _check_bounds(source.given, files)
    for number, one in enumerate(files, 1):
        content, _ = origin.open_file(one.path)
        with content:
            _placed(into, one.path, partial(copy, content))
        how.progress(number, len(files), "files")
    return Fetched(source, into, len(files), 0, sum(one.size for one in files))


def _chosen(files: Sequence[Remote], how: How) -> list[Remote]:
    if how.mode == "all":
        return list(files)
    is_wanted = wanted(how.important)
    return [one for one in files if is_wanted(one.path)]


def _check_bounds(given: str, files: Sequence[Remote]) -> None:
    for one in files:
        if one.size > LARGEST_FILE:
            raise ExportRefused(
                f"{given}: {one.path!r} has {one.size} bytes, of at most {LARGEST_FILE}"
            )
    total = sum(one.size for one in files)
    if total > MOST_BYTES:
        raise ExportRefused(f"{given}: {total} bytes are to be fetched, of at most {MOST_BYTES}")


def _placed(into: Path, path: str, write: Callable[[Path], object]) -> None:
    """Have a file written under another name and give it its own."""
    target = into / path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".fetch-", dir=target.parent)
        os.close(descriptor)
        new = Path(name)
        try:
            write(new)
            new.chmod(0o644)
            new.replace(target)
        finally:
            new.unlink(missing_ok=True)
    except OSError as error:
        raise unreadable(error.filename or target, error) from None


@dataclass(slots=True)
class _Fetch:
    source: Bucket | HubRun
    into: Path
    how: How
    cache: Cache

    def run(self) -> Fetched:
        self.cache.prepare()
        address = self._address()
        known = self.cache.read_listing(address)
        origin: Origin | None = None
        if self.how.mode == "cache_only":
            if known is None:
                raise NoResults(
                    f"{self.source.given}: never fetched, and the mode is cache_only; "
                    "fetch it with the mode prefer_cache"
                )
            files = known
        else:
            origin = (
                InHub(self.source)
                if isinstance(self.source, HubRun)
                else Exported(self.source, self.how.access)
            )
            files = self._with_known(origin.files(), known or [])
        chosen = _chosen(files, self.how)
        _check_bounds(self.source.given, chosen)
        done, fetched = self._bring_all(origin, chosen)
        by_path = {one.path: one for one in done}
        if origin is not None:
            self.cache.write_listing(address, [by_path.get(one.path, one) for one in files])
        if fetched:
            self.cache.shrink()
        size = sum(max(one.size, 0) for one in done)
        return Fetched(self.source, self.into, fetched, len(done) - fetched, size)

    def _address(self) -> str:
        """Return what the cache keeps the list of files under."""
        if isinstance(self.source, HubRun):
            return f"{self.source.base} {self.source.id}"
        endpoint = self.source.endpoint or self.how.access.endpoint
        return f"{endpoint or os.environ.get('AWS_ENDPOINT_URL', '')} {self.source.place}"

    def _with_known(self, files: Sequence[Remote], known: Sequence[Remote]) -> list[Remote]:
        """Add the hashes that an earlier fetch has found, of objects that are the same ones."""
        earlier = {(one.path, one.size, one.etag): one.sha256 for one in known if one.etag}
        return [
            one
            if one.sha256 or self.how.mode != "prefer_cache"
            else dataclasses.replace(one, sha256=earlier.get((one.path, one.size, one.etag), ""))
            for one in files
        ]

    def _bring_all(
        self, origin: Origin | None, files: Sequence[Remote]
    ) -> tuple[list[Remote], int]:
        done: list[Remote] = []
        fetched = 0
        self.how.progress(0, len(files), "files")
        pool = ThreadPoolExecutor(WORKERS)
        try:
            for future in as_completed([pool.submit(self._bring, origin, one) for one in files]):
                remote, was_fetched = future.result()
                done.append(remote)
                fetched += was_fetched
                self.how.progress(len(done), len(files), "files")
        finally:
            pool.shutdown(cancel_futures=True)
        return done, fetched

    def _bring(self, origin: Origin | None, remote: Remote) -> tuple[Remote, bool]:
        """Bring one file; return it with its hash, and whether it was fetched."""
        if remote.sha256 and self._use_cache():
            found = False

            def from_cache(new: Path) -> None:
                nonlocal found
                found = self.cache.copy_to(new, remote.sha256)
                if not found:
                    raise _NotThere

            try:
                _placed(self.into, remote.path, from_cache)
            except _NotThere:
                pass
            else:
                return remote, False
        if origin is None:
            raise NoResults(
                f"{self.source.given}: {remote.path!r} is not in the cache, and the mode is "
                "cache_only; fetch it with the mode prefer_cache"
            )
        digest = self._download(origin, remote)
        return dataclasses.replace(remote, sha256=digest), True

    def _use_cache(self) -> bool:
        return self.how.mode in {"cache_only", "prefer_cache"}

    def _download(self, origin: Origin, remote: Remote) -> str:
        content, stored = origin.open_file(remote.path)
        expected = remote.sha256 or stored
        digest = ""
        most = remote.size if remote.size >= 0 else LARGEST_FILE

        def write(new: Path) -> None:
            nonlocal digest
            with content, explained(f"{self.source.given}: {remote.path}"):
                digest = copy(content, new, most)
            size = new.stat().st_size
            if remote.size not in {-1, size} or (expected and digest != expected):
                raise ExportRefused(
                    f"{self.source.given}: {remote.path!r} has {size} bytes with sha256 {digest}, "
                    f"not {remote.size} with {expected or 'any'} as "
                    f"{manifests.NAME if remote.sha256 else 'the server'} says"
                )
            self.cache.add(new, digest)

        _placed(self.into, remote.path, write)
        return digest


class _NotThere(Exception):
    """The cache doesn't have it."""

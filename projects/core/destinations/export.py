"""The export of a directory to a destination: searched for secrets, verified, resumable."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from projects.core.destinations import manifest as manifests
from projects.core.destinations.source import examine, examine_all, survey
from projects.core.errors import ExportRefused, InfrastructureError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from projects.core.destinations.destination import Destination
    from projects.core.destinations.manifest import File, Manifest
    from projects.core.secrets.scan import Leak

T = TypeVar("T")

MOST_EXAMINED, MOST_COPIED = 256, 16
"""Files that a worker is given at once: handing each over costs as much as a small one does."""

_TURNS = 4
"""How often a worker is given files, at least, so that all of them end at about the same time."""

SHOWN = 20
"""Places that a refusal lists; it says how many more there are."""


@dataclass(frozen=True, slots=True)
class Result:
    """What an export did: where it is, files `copied` and `skipped`, `bytes` copied, `notes`."""

    address: str
    copied: int
    skipped: int
    bytes: int
    manifest: Manifest
    notes: tuple[str, ...]


def show_no_progress(done: int, total: int, unit: str) -> None:
    """Do nothing with the progress."""


def export(
    root: Path,
    destination: Destination,
    *,
    run_id: str = "",
    scan: bool = True,
    progress: Callable[[int, int, str], None] = show_no_progress,
) -> Result:
    """Copy what is below `root` to `destination` and write the manifest.

    Files whose content is there already are skipped. An export that was interrupted goes on where
    it was. `progress(done, total, "files")` is called from the calling thread.

    Errors
    ------
    UsageError
        `root` is no directory, or destination and `root` are inside each other.
    ExportRefused
        With a list of places: registered secrets, or links that leave `root`. Nothing is copied.
    InfrastructureError
        Disk or permissions are in the way, or a file changes while it is copied, twice. What was
        copied stays, the manifest isn't written.
    """
    destination.refuse_source(root)
    found = survey(root)
    _refuse(root, found.links_outside)
    pool = ThreadPoolExecutor(destination.workers)
    try:
        return _Export(root, destination, scan, pool, progress).run(
            run_id, found.files, found.notes
        )
    finally:
        pool.shutdown(cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Export:
    root: Path
    destination: Destination
    scan: bool
    pool: ThreadPoolExecutor
    progress: Callable[[int, int, str], None]

    def run(self, run_id: str, paths: Sequence[str], notes: Sequence[str]) -> Result:
        manifest = manifests.build(run_id, datetime.now(UTC), self._examine_all(paths))
        with self.destination.reserve():
            missing = self._missing(manifest)
            copied = self._copy_all(missing, len(manifest.files))
            files = {file.path: file for file in [*manifest.files, *copied]}
            manifest = manifests.build(run_id, datetime.now(UTC), files.values())
            sizes = self.destination.sizes()
            if problems := manifests.verify(manifest, sizes):
                raise InfrastructureError(
                    f"{self.destination.address}: {'; '.join(problems[:SHOWN])}"
                )
            self.destination.finish(manifest)
        unlisted = len(sizes) - len(manifest.files)
        said = [f"{unlisted} other files were there before and are left"] if unlisted else []
        return Result(
            address=self.destination.address,
            copied=len(copied),
            skipped=len(manifest.files) - len(copied),
            bytes=sum(file.size for file in copied),
            manifest=manifest,
            notes=(*notes, *said),
        )

    def _examine_all(self, paths: Sequence[str]) -> list[File]:
        def examine_some(some: Sequence[str]) -> list[tuple[File, Sequence[Leak]]]:
            return examine_all(
                self.root, some, scan=self.scan, part_size=self.destination.part_size
            )

        # It is the processors that are busy: more threads than those would only wait in turns.
        workers = len(os.sched_getaffinity(0))
        with ThreadPoolExecutor(workers) as pool:
            batches = _batches(paths, MOST_EXAMINED, workers)
            examined = [one for some in pool.map(examine_some, batches) for one in some]
        _refuse(self.root, [leak for _, leaks in examined for leak in leaks])
        return [file for file, _ in examined]

    def _missing(self, manifest: Manifest) -> list[File]:
        """Return the files that are not there yet; take away a manifest that won't be true."""
        self.destination.expect(manifest)
        old = self.destination.read_manifest()
        same = set(manifests.compare(old, manifest).same)
        listed = set() if old is None else {file.path for file in old.files}
        sizes = self.destination.sizes()
        missing = [f for f in manifest.files if f.path not in same or sizes.get(f.path) != f.size]
        unsure = [f for f in missing if sizes.get(f.path) == f.size]
        held = {
            file.path
            for file, is_there in zip(
                unsure, self.pool.map(self.destination.holds, unsure), strict=True
            )
            if is_there
        }
        missing = [file for file in missing if file.path not in held]
        replaced = not listed.isdisjoint(file.path for file in missing)
        if replaced and self.destination.overwrites:
            self.destination.withdraw_manifest()
        return missing

    def _copy_all(self, missing: Sequence[File], total: int) -> list[File]:
        done = total - len(missing)
        self.progress(done, total, "files")
        copied: list[File] = []

        def copy_some(files: Sequence[File]) -> int:
            for file in files:
                copied.append(self._copy(file))  # noqa: PERF401 - one by one, as they are done
            return len(files)

        batches = _batches(missing, MOST_COPIED, self.destination.workers)
        shown = done
        try:
            for future in as_completed([self.pool.submit(copy_some, some) for some in batches]):
                shown += future.result()
                self.progress(shown, total, "files")
        except InfrastructureError as error:
            raise InfrastructureError(
                f"{error.message}; {done + len(copied)} of {total} files are in "
                f"{self.destination.address}, exporting again goes on from there"
            ) from None
        return copied

    def _copy(self, file: File) -> File:
        """Store a file as it was examined; if it has changed since, as it is now."""
        source = self.root / file.path
        if self.destination.put(file, source):
            return file
        file, leaks = examine(
            self.root, file.path, scan=self.scan, part_size=self.destination.part_size
        )
        _refuse(self.root, leaks)
        if self.destination.put(file, source):
            return file
        raise InfrastructureError(f"{source} changes while it is exported")


def _batches(items: Sequence[T], most: int, workers: int) -> list[Sequence[T]]:
    size = max(1, min(most, len(items) // (_TURNS * workers)))
    return [items[start : start + size] for start in range(0, len(items), size)]


def _refuse(root: Path, leaks: Sequence[Leak]) -> None:
    if not leaks:
        return
    first, *others = sorted(leaks)
    # Lists and the journal show the first line alone: it has to say where.
    more = f", and {len(others)} more" if others else ""
    shown = [f"\n  {leak}" for leak in others[: SHOWN - 1]]
    if len(leaks) > SHOWN:
        shown.append(f"\n  … and {len(leaks) - SHOWN} more")
    raise ExportRefused(f"not exported: {first}{more} (in {root}){''.join(shown)}")

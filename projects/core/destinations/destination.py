"""What every destination of an export does: the seam that folder, S3 and hub stand behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from projects.core.destinations.manifest import File, Manifest


class Destination(Protocol):
    """A place for the files of one export.

    Every method raises InfrastructureError, naming the place and the reason, when the world is in
    the way. `put` and `holds` are called from several threads at once, the others from one.
    """

    @property
    def address(self) -> str:
        """Where people find the export."""

    @property
    def workers(self) -> int:
        """How many files are best sent at once."""

    @property
    def overwrites(self) -> bool:
        """Whether others see a file as soon as it is put; False: only when all is finished."""

    def part_size(self, size: int) -> int:
        """Return in pieces of how many bytes a file of `size` bytes is sent; 0 for as a whole."""

    def refuse_source(self, root: Path) -> None:
        """Raise UsageError if `root` cannot be exported here, one being inside the other."""

    def reserve(self) -> AbstractContextManager[None]:
        """Keep other exports out while the context lasts; InfrastructureError if one is on."""

    def expect(self, manifest: Manifest) -> None:
        """Learn what will be exported: it may be asked for at once what is here already."""

    def read_manifest(self) -> Manifest | None:
        """Return the manifest, or None without one; ExportRefused when it is something else."""

    def withdraw_manifest(self) -> None:
        """Take the manifest away, as a file that it lists is about to be replaced."""

    def sizes(self) -> dict[str, int]:
        """Return the size in bytes of every file that is here, by path, the manifest left out."""

    def holds(self, file: File) -> bool:
        """Tell whether exactly this content is here already, looking at the content."""

    def put(self, file: File, source: Path) -> bool:
        """Store the first `file.size` bytes of `source` under `file.path`, all or nothing.

        Return False, with nothing stored, if what was stored wouldn't have `file.sha256`.
        """

    def open_file(self, path: str) -> BinaryIO:
        """Return the content of a stored file, to be read."""

    def finish(self, manifest: Manifest) -> None:
        """Make sure that everything put or held stays, then store the manifest."""

"""The export of artifacts from an orchestration: the configuration says where to."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from projects.core.artifacts import directory, journal
from projects.core.destinations.run_id import run_id
from projects.core.errors import ConfigurationError, UsageError, unreadable
from projects.core.library import config

if TYPE_CHECKING:
    from projects.core.destinations.export import Result

URL_FILE = "export.url"
"""Holds the address of the export, in the exported directory and so in the export too."""

logger = logging.getLogger(__name__)


def export_artifacts(
    artifacts_dirname: str | os.PathLike[str], test_step: str | None = None
) -> Result | None:
    """Export a directory to `<dest>/<path_prefix>/<identity of the run>[/<test_step>]`.

    Nothing happens, and None is returned, unless `export_artifacts.enabled`. `dest` is
    `export_artifacts.dest`, a path or `file:///path`. Afterwards `export_artifacts.dest` is the
    address of the export; exporting again then means the same place. The identity of the run is
    made by projects.core.destinations.run_id. In the PerfLab a single step is not exported, as the
    whole is exported there once.

    Errors
    ------
    ConfigurationError
        Export is enabled without a destination, or to one that isn't available.
    UsageError
        The directory doesn't exist, or it and the destination are inside each other.
    ExportRefused
        A secret is in it, or a link leaves it; with the places. Nothing was copied.
    InfrastructureError
        Disk or permissions; what was copied stays, exporting again goes on.
    """
    if not config.project.get_config("export_artifacts.enabled", False, warn=False, print=False):
        logger.info("export_artifacts.enabled is not set: nothing is exported.")
        return None
    if test_step and os.environ.get("PERFLAB_CI") == "true":
        logger.info("In the PerfLab the step %s is not exported by itself.", test_step)
        return None
    root = Path(artifacts_dirname).resolve()
    run_directory = (directory.run_root() or root).name
    identity = run_id(os.environ, run_directory)
    base = base_of(_configured("dest"), _joined(_configured("path_prefix"), identity))
    if not base:
        raise _without_destination(_configured("bucket"))
    below = _joined(_configured("path_prefix"), run_id(os.environ, run_directory, test_step))
    return _export(root, f"{base.rstrip('/')}/{below}", identity)


def base_of(dest: str, below: str) -> str:
    """Return `dest` without `/{below}` and what follows, which an earlier export has added."""
    base, found, _ = f"{dest}/".rpartition(f"/{below}/")
    return base if found else dest


def _export(root: Path, address: str, identity: str) -> Result:
    from projects.core.destinations.export import export
    from projects.core.destinations.registry import open_destination

    if not root.is_dir():  # said here, before the address is written into it
        raise UsageError(f"{root} is no directory that could be exported")
    destination = open_destination(address)
    url_file = root / URL_FILE
    earlier = url_file.read_text() if url_file.is_file() else None
    try:
        url_file.write_text(f"{destination.address}\n")
    except OSError as error:
        raise unreadable(url_file, error) from None
    try:
        with journal.span("export", destination.address) as span:
            result = export(root, destination, run_id=identity, progress=span.progress)
            span.end_fields.update(copied=result.copied, skipped=result.skipped)
    except BaseException:
        # It would name a place where nothing, or not everything, is.
        if earlier is None:
            url_file.unlink(missing_ok=True)
        else:
            url_file.write_text(earlier)
        raise
    config.project.set_config("export_artifacts.dest", result.address, print=False)
    for note in result.notes:
        logger.info("export: %s", note)
    logger.info(
        "Exported to %s: %d files copied (%d bytes), %d were there.",
        result.address,
        result.copied,
        result.bytes,
        result.skipped,
    )
    return result


def _configured(name: str) -> str:
    value = config.project.get_config(f"export_artifacts.{name}", None, warn=False, print=False)
    return str(value) if value else ""


def _joined(*parts: str) -> str:
    return "/".join(part.strip("/") for part in parts if part.strip("/"))


def _without_destination(bucket: str) -> ConfigurationError:
    if bucket:
        return ConfigurationError(
            f"export_artifacts.bucket is {bucket}: exporting to S3 is not available yet; "
            "set export_artifacts.dest to a path or file:///path"
        )
    return ConfigurationError(
        "export_artifacts.enabled is set, but not where to: set export_artifacts.dest to a path "
        "or file:///path"
    )

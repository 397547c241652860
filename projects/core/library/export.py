"""The export of artifacts from an orchestration: the configuration says where to."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from projects.core.artifacts import directory, journal
from projects.core.commands.report import JOURNAL
from projects.core.destinations.run_id import run_id
from projects.core.errors import ConfigurationError, UsageError, unreadable
from projects.core.library import config

if TYPE_CHECKING:
    from projects.core.destinations.destination import Destination
    from projects.core.destinations.export import Result

URL_FILE = "export.url"
"""Holds the address of the export, in the exported directory and so in the export too."""

logger = logging.getLogger(__name__)


def export_artifacts(
    artifacts_dirname: str | os.PathLike[str], test_step: str | None = None
) -> Result | None:
    """Export a directory to `<dest>/<path_prefix>/<identity of the run>[/<test_step>]`.

    Nothing happens, and None is returned, unless `export_artifacts.enabled`. `dest` is
    `export_artifacts.dest`: a path, `file:///path`, `s3://bucket` or `hub://host`; without it, the
    S3 bucket `export_artifacts.bucket`. Afterwards `export_artifacts.dest` is the address of the
    export; exporting again then means the same place. The identity of the run is made by
    projects.core.destinations.run_id. In the PerfLab a single step is not exported, as the whole
    is exported there once. Credentials for S3 are in the file `secrets.aws_credentials` of the
    secrets directory, or where AWS's tools look; `export_artifacts.endpoint_url` is another
    server than Amazon's. The token for a hub is in the file `secrets.hub_token` of the secrets
    directory, else in TOPGALLANT_TOKEN, else where a server on this machine has left it.

    Errors
    ------
    ConfigurationError
        Export is enabled without a destination, or there is no such file of credentials.
    UsageError
        The directory doesn't exist, or it and the destination are inside each other.
    ExportRefused
        A secret is in it, or a link leaves it; with the places. Nothing was copied.
    InfrastructureError
        Disk, network or permissions; what was copied stays, exporting again goes on.
    """
    if not config.project.get_config("export_artifacts.enabled", False, warn=False, print=False):
        logger.info("Nothing is exported: export_artifacts.enabled is not true.")
        return None
    if test_step and os.environ.get("PERFLAB_CI") == "true":
        logger.info("In the PerfLab the step %s is not exported by itself.", test_step)
        return None
    root = Path(artifacts_dirname).resolve()
    run_directory = _run_directory(root, test_step).name
    identity = run_id(os.environ, run_directory)
    base = base_of(_configured_base(), _joined(_configured("path_prefix"), identity))
    below = _joined(_configured("path_prefix"), run_id(os.environ, run_directory, test_step))
    return _export(root, f"{base.rstrip('/')}/{below}", identity)


def _run_directory(root: Path, test_step: str | None) -> Path:
    """Return the run that a directory belongs to: this run, or an earlier one that it is itself.

    Exporting an earlier run again is another run each time, which must not make another place.
    """
    run = directory.run_root()
    if run is None or (root / JOURNAL).is_file():
        return root
    return run if test_step or root.is_relative_to(run) else root


def base_of(dest: str, below: str) -> str:
    """Return `dest` without `/{below}` and what follows, which an earlier export has added."""
    base, found, _ = f"{dest}/".rpartition(f"/{below}/")
    return base if found else dest


def _export(root: Path, address: str, identity: str) -> Result:
    from projects.core.destinations.export import export

    if not root.is_dir():  # said here, before the address is written into it
        raise UsageError(f"{root} is no directory that could be exported")
    destination = _open(address)
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


def _open(address: str) -> Destination:
    """Return the destination; one in S3 or a hub with the configured credentials and endpoint."""
    from projects.core.destinations import hub_address
    from projects.core.destinations.registry import open_destination

    if address.partition("://")[0].lower() in hub_address.SCHEMES:
        from projects.core.destinations.hub import Hub

        return Hub(address, _hub_token())
    if not address.lower().startswith("s3://"):
        return open_destination(address)
    from projects.core.destinations.s3 import S3
    from projects.core.destinations.s3_client import Access

    return S3(address, Access(_credentials_file(), _configured("endpoint_url") or None))


def _hub_token() -> str | None:
    """Return the configured token; None: that of the environment or of this machine."""
    name = config.project.get_config("secrets.hub_token", None, warn=False, print=False)
    return str(config.project.secrets.read(str(name))) if name else None


def _credentials_file() -> Path | None:
    key = "secrets.aws_credentials"
    name = config.project.get_config(key, None, warn=False, print=False)
    if not name:
        return None
    secrets = config.project.secrets
    secrets.read(str(name))  # it is there, inside of the directory, and from now on it is masked
    return secrets.root / str(name)


def _configured_base() -> str:
    """Return where to export to, without what an earlier export has made of the address."""
    from projects.core.destinations import hub_address, s3_keys

    dest, bucket = _configured("dest"), _configured("bucket")
    if run := hub_address.parse_page(dest):
        return f"hub+{run.base}"
    if dest.partition("://")[0].lower() in hub_address.SCHEMES:
        if hub_address.parse(dest).place:
            raise ConfigurationError(
                f"export_artifacts.dest: {dest} has a path; set export_artifacts.path_prefix to it"
            )
        return dest
    if dest:
        page = s3_keys.parse_browse(dest)
        return str(page[0]) if page else dest
    if bucket:
        return f"s3://{bucket}"
    raise ConfigurationError(
        "export_artifacts.enabled is set, but not where to: set export_artifacts.bucket, or "
        "export_artifacts.dest to a path, file:///path, s3://bucket/prefix or hub://host"
    )


def _configured(name: str) -> str:
    value = config.project.get_config(f"export_artifacts.{name}", None, warn=False, print=False)
    return str(value) if value else ""


def _joined(*parts: str) -> str:
    return "/".join(part.strip("/") for part in parts if part.strip("/"))

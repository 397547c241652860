"""Results brought here from where `matbench.download` says, for a replot."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from projects.core.library import config, env
from projects.matrix_benchmarking.library import settings

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from projects.core.destinations.s3_client import Access

_log = logging.getLogger(__name__)

FROM_URL = "expe/from_url"
"""Where a single source goes, below the directory of results."""


def place_for_results(
    given: str | os.PathLike[str] | None,
) -> AbstractContextManager[Path]:
    """Return the context with the directory for results: the given one, or a temporary one.

    With `matbench.download.save_to_artifacts` it is an artifact directory instead.
    """
    from contextlib import nullcontext

    if given is not None:
        return nullcontext(Path(given))
    return _in_artifacts() if settings.get("download.save_to_artifacts") else _temporary()


@contextmanager
def _in_artifacts() -> Iterator[Path]:
    """Make the directory and leave it again: what is made of the results goes beside it."""
    with env.NextArtifactDir("results"):
        place = env.ARTIFACT_DIR
    yield place


@contextmanager
def _temporary() -> Iterator[Path]:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="topgallant-results-") as name:
        yield Path(name)


def fetch_into(url: str, url_file: str, into: Path) -> None:
    """Fetch one address, or what a file lists, into a directory of results.

    Errors
    ------
    UsageError, ConfigurationError, InfrastructureError, ExportRefused, NoResults
        As `projects.matrix_benchmarking.replot.fetch`.
    """
    from projects.core.artifacts import journal
    from projects.matrix_benchmarking.replot import fetch
    from projects.matrix_benchmarking.replot.source import parse_source
    from projects.matrix_benchmarking.replot.url_file import read_url_file
    from projects.matrix_benchmarking.results.parser import find_parser

    matbench = settings.read()
    with journal.span("step", f"fetch {url or url_file}") as span:
        how = fetch.How(
            important=find_parser(matbench.workload).important_files,
            mode=fetch.mode_of(str(settings.get("download.mode") or "prefer_cache")),
            access=_access(),
            progress=span.progress,
        )
        fetch.write_source_url(env.ARTIFACT_DIR, url or url_file)
        if url:
            done = [fetch.fetch(parse_source(url), into / FROM_URL, how)]
        else:
            done = fetch.fetch_entries(read_url_file(Path(url_file)), into, how)
    for each in done:
        _log.info(
            "%s: files fetched: %d, from the cache: %d",
            each.source.given,
            each.fetched,
            each.from_cache,
        )


def _access() -> Access:
    """Return the way to S3 that exports take too; a public bucket needs no credentials."""
    from projects.core.destinations.s3_client import Access

    name = config.project.get_config("secrets.aws_credentials", None, warn=False, print=False)
    endpoint = config.project.get_config(
        "export_artifacts.endpoint_url", None, warn=False, print=False
    )
    file = None
    if name:
        config.project.read_secret(str(name))  # it is there, and from now on it is masked
        file = config.project.secrets.root / str(name)
    return Access(file, str(endpoint) if endpoint else None, anonymous=True)

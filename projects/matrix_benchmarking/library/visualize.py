"""Turn results into KPIs, plots, a history and a verdict, as the configuration `matbench` says."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from projects.core import errors
from projects.core.artifacts import directory as directories
from projects.core.library import config, env
from projects.matrix_benchmarking.library import settings, sources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from projects.matrix_benchmarking.reports.selection import Selection
    from projects.matrix_benchmarking.verdict.acknowledgement import Acknowledgement

_log = logging.getLogger(__name__)

HISTORY, ACKNOWLEDGEMENTS = "history", "acknowledgements.yaml"
REPLOT = "-plot"
"""How the name of a CI job ends that plots what another one has measured."""


def init(allow_no_config_file: bool = False) -> None:
    """Check what `matbench` names before anything is downloaded or drawn; apply its preset.

    `matbench.preset` is what a CI directive `/test NAME-plot WORD` asked for: an address (with
    `://`) becomes `matbench.download.url`; of any other WORD, `WORD.yaml` beside the plots of the
    workload selects plots, and names what to download.

    Errors
    ------
    ConfigurationError
        There is no such workload, plot, or `plots.yaml` (unless `allow_no_config_file`).
    """
    from projects.matrix_benchmarking.library import drawing

    preset = settings.get("preset") or _take_directive()
    if preset and "://" in str(preset):
        config.project.set_config("matbench.download.url", str(preset))
    elif preset:
        config.project.set_config("matbench.config_file", f"{preset}.yaml")
        url_file = settings.read().plots_file
        if not url_file.is_file():
            known = [path.stem for path in url_file.parent.glob("*.yaml")]
            raise errors.ConfigurationError(
                f"{url_file.parent}: {errors.unknown('file to plot by', str(preset), known)}"
            )
        config.project.set_config("matbench.download.url_file", os.fspath(url_file))
    matbench = settings.read()
    drawing.select(matbench.workload, matbench.plots_file, may_be_missing=allow_no_config_file)


def _take_directive() -> str:
    """Return the first word of a CI directive to plot; those after it are presets, applied."""
    if not is_replot():
        return ""
    words: list[str] = []
    while word := config.project.get_config(
        f"PR_POSITIONAL_ARG_{len(words) + 1}", None, warn=False, print=False
    ):
        words.append(str(word))
    for name in words[1:]:
        config.project.apply_preset(name)
    return words[0] if words else ""


def prepare_matbench() -> None:
    """Do nothing: what plots need is installed with the toolkit."""
    _log.info("what parsing and plotting need is installed with the toolkit")


def leave_fingerprint(more: Mapping[str, Any] | None = None) -> None:
    """Write what this machine is beside the results: `fingerprint.yaml`.

    Results of different fingerprints are not compared. `more` are keys of the project: a file
    system, the version of what is measured.
    """
    from projects.matrix_benchmarking.verdict import fingerprint

    fingerprint.write(env.ARTIFACT_DIR, more)


def watch_pressure() -> AbstractContextManager[None]:
    """Return the context to measure a result in: it notes how busy the machine is.

    A result whose pressure (the share of the time in which work waited for a processor) differs
    from that of earlier runs is a regression only where that cannot explain it.
    """
    from projects.matrix_benchmarking.verdict import pressure

    return pressure.watched(env.ARTIFACT_DIR)


def is_replot() -> bool:
    """Tell whether a CI job was asked to plot what another one has measured."""
    job = config.project.get_config("PR_POSITIONAL_ARG_0", "", warn=False, print=False)
    return str(job or "").endswith(REPLOT)


def download(results_dirname: str | os.PathLike[str]) -> None:
    """Fetch what `matbench.download.url` or `.url_file` names into a directory.

    A single address goes to `expe/from_url` in it, the entries of a file to their `dest_dir`. Only
    what the parser names is fetched, unless `matbench.download.mode` is `all`. The artifact file
    `source_url` says where it comes from.

    Errors
    ------
    ConfigurationError
        Neither, or both, are set; the file is something else.
    UsageError
        The address is none, or there is nothing.
    InfrastructureError
        Network, credentials, disk.
    """
    url, url_file = settings.get("download.url"), settings.get("download.url_file")
    if bool(url) == bool(url_file):
        both = "both" if url else "neither"
        raise errors.ConfigurationError(
            f"matbench.download.url and matbench.download.url_file: {both} are set, one is needed"
        )
    sources.fetch_into(str(url or ""), str(url_file or ""), Path(results_dirname))


def download_and_generate_visualizations(
    results_dirname: str | os.PathLike[str] | None = None,
) -> None:
    """Fetch what `matbench.download` names, then plot and judge it as the run itself did.

    Without a directory the results go to a temporary one, or with
    `matbench.download.save_to_artifacts` into the artifacts.

    Errors
    ------
    As `download` and `generate_from_dir`.
    """
    with sources.place_for_results(results_dirname) as place:
        download(place)
        _generate_plots(place, settings.get("download.url") or settings.get("download.url_file"))


def replot(source: str, results_dirname: str | os.PathLike[str] | None = None) -> None:
    """Plot and judge the artifacts at an address as the run that left them did.

    A directory is read where it is; anything else is fetched as by `download`. Values are judged
    and kept in a history only where the configuration says `enabled_on_replot`.

    Errors
    ------
    As `download` and `generate_from_dir`.
    """
    from projects.matrix_benchmarking.replot.fetch import write_source_url
    from projects.matrix_benchmarking.replot.source import Directory, parse_source

    found = parse_source(source)
    if isinstance(found, Directory):
        if not found.path.is_dir():
            raise errors.UsageError(f"{source}: there is no such directory")
        write_source_url(env.ARTIFACT_DIR, source)
        _generate_plots(found.path)
        return
    with sources.place_for_results(results_dirname) as place:
        sources.fetch_into(source, "", place)
        _generate_plots(place, source)


def _generate_plots(results: Path, fetched_from: str | None = None) -> None:
    with env.NextArtifactDir("plots"):
        try:
            _generate(results, None, None, None, replot=True)
        except errors.NoResults as error:
            if fetched_from is None or type(error) is not errors.NoResults:
                raise
            # The directory may be gone when this is read.
            raise errors.NoResults(f"{fetched_from}, fetched to {error.message}") from None


def generate_from_dir(
    results_dirname: str | os.PathLike[str],
    generate_lts: bool | None = None,
    test_failed: bool | None = None,
) -> None:
    """Plot and judge the results below a directory, into the next artifact directory `plots`.

    Parameters
    ----------
    generate_lts
        Write `lts_payload.json`; None: as `matbench.lts.generate` says.
    test_failed
        The test that left the results has failed: they are plotted, but not added to the history.

    Errors
    ------
    Regression
        A KPI is worse than before, and `fail_test_on_regression` is set. Everything is written.
    NoResults
        No result could be read, or (`Unjudged`) a required history is missing.
    Incomplete
        A plot raised, a value is invalid, or the history failed; the rest was done.
    ConfigurationError
        `matbench` names what does not exist; nothing is written.
    """
    with env.NextArtifactDir("plots"):
        generate_visualizations(results_dirname, generate_lts, test_failed)


def generate_visualizations(
    results_dirname: str | os.PathLike[str],
    generate_lts: bool | None = None,
    test_failed: bool | None = None,
) -> None:
    """As `generate_from_dir`, into the current artifact directory."""
    _generate(Path(results_dirname), None, generate_lts, test_failed, replot=is_replot())


def generate_visualization(  # noqa: PLR0917 - the seed's signature
    results_dirname: str | os.PathLike[str],
    idx: int,
    generate_lts: bool | None = None,
    upload_lts: bool | None = None,
    analyze_lts: bool | None = None,
    test_failed: bool | None = None,
) -> None:
    """As `generate_visualizations`, but draw only the page with number `idx` of `plots.yaml`.

    `upload_lts` and `analyze_lts`: False leaves that out, whatever the configuration says.
    """
    _generate(
        Path(results_dirname),
        idx,
        generate_lts,
        test_failed,
        replot=is_replot(),
        upload=upload_lts is not False,
        analyse=analyze_lts is not False,
    )


def _generate(
    results: Path,
    idx: int | None,
    generate_lts: bool | None,
    test_failed: bool | None,
    *,
    replot: bool,
    upload: bool = True,
    analyse: bool = True,
) -> None:
    from projects.matrix_benchmarking.history import registry
    from projects.matrix_benchmarking.library import flow

    matbench = settings.read()
    plan = registry.plan(matbench.lts, replot=replot, folder=history_folder(results))
    request = flow.Request(
        results=results,
        directory=env.ARTIFACT_DIR,
        workload=matbench.workload,
        selection=_selected(matbench, idx),
        plan=plan,
        read_secret=config.project.read_secret,
        rules=settings.rules_of(matbench.analyses),
        acknowledgements=_acknowledgements(matbench.analyses),
        fingerprint_keys=matbench.fingerprint_keys,
        require_history=matbench.require_history,
        write_lts=plan.generate if generate_lts is None else generate_lts,
        upload=upload,
        analyse=analyse,
        test_failed=bool(test_failed),
    )
    with _test_directory(results):
        outcome = flow.process(request)
    flow.conclude(request, outcome)


def _selected(matbench: settings.Matbench, idx: int | None) -> Sequence[Selection]:
    from projects.matrix_benchmarking.library import drawing

    default = matbench.config_file == settings.PLOTS
    pages = drawing.select(matbench.workload, matbench.plots_file, may_be_missing=default)
    if idx is None:
        return pages
    if not 0 <= idx < len(pages):
        raise errors.UsageError(
            f"page {idx}: {matbench.plots_file} has the pages 0 to {len(pages) - 1}"
        )
    return [pages[idx]]


def _test_directory(results: Path) -> AbstractContextManager[None]:
    """Return the context in which `matbench.test_directory` says what is plotted, if it exists."""
    from contextlib import nullcontext

    if settings.get("test_directory", settings.MISSING) is settings.MISSING:
        return nullcontext()
    return config.TempValue(config.project, "matbench.test_directory", os.fspath(results))


def history_folder(results: Path) -> Path:
    """Return where a history in a folder is by default: beside the run directories."""
    top = directories.run_root() or results
    return top.absolute().parent / HISTORY


def _acknowledgements(analyses: Mapping[str, Any]) -> tuple[Acknowledgement, ...]:
    from projects.matrix_benchmarking.verdict.acknowledgement import read_acknowledgements

    given = analyses.get("acknowledgements")
    path = config.project.testing_dir / (given or ACKNOWLEDGEMENTS)
    if not given and not path.is_file():
        return ()
    return tuple(read_acknowledgements(path))

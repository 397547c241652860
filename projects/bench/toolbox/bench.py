"""Measure the toolkit itself, beside its peers."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from projects.bench.library import peers as peers_of
from projects.bench.library.peers import Peer
from projects.core.library import env, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from projects.bench.library.alternation import Probe
    from projects.bench.library.result import Result

_logger = logging.getLogger(__name__)


def noop(process: bool = False) -> None:
    """Do nothing: what remains is what a command costs.

    Args:
        process: Run `true` in a process, as the peers' tasks do.
    """
    if process:
        run.run(["true"], log_command=False)


def calls(into: Path, count: int = 200) -> None:
    """Measure calls of `bench noop` beside calls of its function, in this process.

    Args:
        into: File to write the mean seconds of a call to, as JSON.
        count: Calls of each.
    """
    from projects.bench.library import command_overhead as overhead

    measured = overhead.seconds_by_case(
        count,
        {
            overhead.FUNCTION: noop,
            overhead.COMMAND: lambda: run.run_toolbox("bench", "noop"),
            overhead.COMMAND_WITH_PROCESS: lambda: run.run_toolbox("bench", "noop", process=True),
        },
    )
    into.write_text(json.dumps(measured), encoding="utf-8")


def command_overhead(
    rounds: int = 5,
    warm_ups: int = 1,
    calls_per_round: int = 200,
    peers: list[Peer] | None = None,
) -> None:
    """Measure what one command costs over its function, beside a role, a deploy and a spawn.

    Args:
        rounds: Rounds that count; in each, every contestant has its turn.
        warm_ups: Rounds before, that do not count.
        calls_per_round: Calls of our command in a round.
        peers: Whom to measure beside us; only ansible and pyinfra have such calls.
    """
    from projects.bench.library import command_overhead as overhead
    from projects.bench.library.result import recorded

    asked = peers or []
    settings = {"rounds": rounds, "calls_per_round": calls_per_round, "peers": asked}
    with recorded(env.ARTIFACT_DIR, "command_overhead", settings) as result, _work() as work:
        peers_of.require_installed(asked)
        probes = [
            overhead.our_probe(calls_per_round, work, _environ()),
            overhead.spawn_probe(work, _environ()),
            *overhead.peer_probes(asked, work, _environ()),
        ]
        _measure(probes, rounds, warm_ups, asked, result)


def startup(rounds: int = 5, warm_ups: int = 1, peers: list[Peer] | None = None) -> None:
    """Measure the time of --version, --help and a command that does nothing.

    Args:
        rounds: Rounds that count; in each, every contestant has its turn.
        warm_ups: Rounds before, that do not count.
        peers: Whom to measure beside us.
    """
    from projects.bench.library import startup as programs
    from projects.bench.library.result import recorded

    asked = peers or []
    settings = {"rounds": rounds, "peers": asked}
    with recorded(env.ARTIFACT_DIR, "startup", settings) as result, _work() as work:
        peers_of.require_installed(asked)
        probes = [
            *programs.our_probes(work, _environ()),
            *programs.peer_probes(asked, work, _environ()),
        ]
        _measure(probes, rounds, warm_ups, asked, result)


def configuration(
    *,
    rounds: int = 5,
    warm_ups: int = 1,
    lines: int = 1000,
    presets: int = 60,
    applied: int = 60,
    seed: int = 1,
    peers: list[Peer] | None = None,
) -> None:
    """Measure loading a made-up configuration with presets, getting and setting a value.

    Args:
        rounds: Rounds that count; in each, every contestant has its turn.
        warm_ups: Rounds before, that do not count.
        lines: Lines of the configuration.
        presets: Presets in it.
        applied: How many of them take effect.
        seed: Another seed is another configuration, the same one the same.
        peers: Whom to measure beside us; only omegaconf and hydra are configurations.
    """
    from projects.bench.library import configuration_point, configuration_speed, generated_config
    from projects.bench.library.result import recorded

    asked = peers or []
    settings = {
        "rounds": rounds,
        "lines": lines,
        "presets": presets,
        "applied": applied,
        "seed": seed,
        "peers": asked,
    }
    made = generated_config.generate(lines=lines, presets=presets, applied=applied, seed=seed)
    with recorded(env.ARTIFACT_DIR, "configuration", settings) as result, _work() as work:
        peers_of.require_installed(asked)
        source = work / "projects" / "measured" / "testing"
        source.mkdir(parents=True)
        task = configuration_point.write_task(source, made)
        shutil.copy(source / "config.yaml", env.ARTIFACT_DIR / "measured_config.yaml")
        probes = configuration_speed.probes(source, task, asked, work, _environ())
        _measure(probes, rounds, warm_ups, asked, result)


def parse(
    *,
    rounds: int = 3,
    warm_ups: int = 1,
    results: int = 2000,
    samples: int = 100,
    seed: int = 1,
    serial_walk: bool = True,
) -> None:
    """Measure parsing made-up results to KPIs, without and with a cache, beside a serial walk.

    Args:
        rounds: Rounds that count; in each, every contestant has its turn.
        warm_ups: Rounds before, that do not count.
        results: Result directories.
        samples: Numbers in each.
        seed: Another seed is other numbers, the same one the same.
        serial_walk: Measure what stands for MatrixBenchmarking too: its time grows with the square.
    """
    from projects.bench.library import generated_results, parse_speed
    from projects.bench.library.result import recorded

    settings = {"rounds": rounds, "results": results, "samples": samples, "seed": seed}
    with recorded(env.ARTIFACT_DIR, "parse", settings) as result, _work() as work:
        root = work / "results"
        generated_results.generate(root, count=results, samples=samples, seed=seed)
        probes = parse_speed.probes(root, work, os.environ, serial=serial_walk)
        _measure(probes, rounds, warm_ups, [], result)


def change_points(
    rounds: int = 5, series: int = 80, length: int = 200, effect: float = 0.1
) -> None:
    """Measure how well and how fast changes are found, by us, apache-otava and ruptures.

    Args:
        rounds: Rounds; each has series of its own, and one sample of the time.
        series: Series of each family in a round, a quarter of them without a change.
        length: Points of a series.
        effect: Share of the level by which it changes.
    """
    from projects.bench.library import change_points as measured
    from projects.bench.library.machine import describe_machine
    from projects.bench.library.result import own_versions, recorded

    settings = {"rounds": rounds, "series": series, "length": length, "effect": effect}
    with recorded(env.ARTIFACT_DIR, "change_points", settings) as result:
        result.machine = describe_machine()
        result.versions = own_versions(env.ARTIFACT_DIR)
        measured.measure(result, rounds=rounds, series=series, length=length, effect=effect)


def export(
    *,
    rounds: int = 3,
    warm_ups: int = 1,
    files: int = 10000,
    megabytes: int = 1024,
    peers: list[Peer] | None = None,
) -> None:
    """Measure the export of many small and of a few large files to a real S3 server.

    Without the programs of the server nothing is measured, and the report says so.

    Args:
        rounds: Rounds that count; in each, every contestant has its turn.
        warm_ups: Rounds before, that do not count.
        files: Small files, of 4 KiB each.
        megabytes: MiB of the large files together.
        peers: Whom to measure beside us; only awscli, obstore and s5cmd upload.
    """
    from projects.bench.library import export_speed, radosgw
    from projects.bench.library.result import recorded

    asked = peers or []
    settings = {
        "rounds": rounds,
        "files": files,
        "megabytes": megabytes,
        "peers": asked,
    }
    with recorded(env.ARTIFACT_DIR, "export", settings) as result, _work() as work:
        peers_of.require_installed(asked)
        if missing := radosgw.missing():
            result.failed["the S3 server"] = missing
            _logger.warning("the export is not measured: %s", missing)
            return
        sources = export_speed.write_sources(work / "sources", files, megabytes)
        with radosgw.running(work / "server", memory=8 * 1024**3) as server:
            export_speed.make_bucket(server)
            probes = export_speed.probes(sources, server, asked, work, _environ())
            _measure(probes, rounds, warm_ups, asked, result)


def report(bars: dict[str, str], results_dir: Path) -> None:
    """Write bench_report.md, bench.json and bench_report.html from the results of a run.

    Args:
        bars: What is to be reached: key of a row, and "3 ms" or "5 x aws, 0.8 x best".
        results_dir: Where to look for results, at any depth.
    """
    from projects.bench.library import report as pages
    from projects.bench.library.result import read_results
    from projects.core.errors import NoResults

    results = read_results(results_dir)
    if not results:
        raise NoResults(f"{results_dir}: no finished result of a bench below it")
    text = pages.as_markdown(results, bars)
    for name, content in (
        ("bench_report.md", text),
        ("bench.json", pages.as_json(results, bars)),
        ("bench_report.html", pages.as_page(results, bars)),
    ):
        (env.ARTIFACT_DIR / name).write_text(content, encoding="utf-8")
    print(text.partition("\n## ")[0])  # noqa: T201 - the table is what one wants to see


def install_peers() -> None:
    """Make the environment of the peers from their lock file, unless it is there already."""
    if peers_of.is_installed():
        _logger.info("%s is what the lock file says already", peers_of.ENVIRONMENT)
        return
    python = peers_of.program("python")
    options = ["--disable-pip-version-check", "--no-input", "--require-hashes"]
    run.run([sys.executable, "-m", "venv", "--clear", str(peers_of.ENVIRONMENT)])
    run.run([python, "-m", "pip", "install", *options, "-r", str(peers_of.LOCK_FILE)])
    peers_of.mark_installed()


def remove_peers() -> None:
    """Remove the environment of the peers, if it is there."""
    if (peers_of.ENVIRONMENT / "pyvenv.cfg").is_file():
        shutil.rmtree(peers_of.ENVIRONMENT)


@contextmanager
def _work() -> Iterator[Path]:
    """Make a folder for what measured programs leave; on the disk that artifacts go to."""
    folder = env.ARTIFACT_DIR / "work"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure(
    probes: Sequence[Probe], rounds: int, warm_ups: int, peers: Sequence[str], result: Result
) -> None:
    from projects.bench.library.alternation import alternate
    from projects.bench.library.machine import describe_machine
    from projects.bench.library.result import own_versions

    def say(done: int) -> None:
        _logger.info("round %d of %d", done, warm_ups + rounds)

    result.machine = describe_machine()
    result.versions = own_versions(env.ARTIFACT_DIR)
    if peers:
        result.versions |= peers_of.versions(peers)
    samples = alternate(probes, rounds=rounds, warm_ups=warm_ups, after_round=say)
    result.seconds, result.failed = samples.seconds, samples.failed
    for name, reason in samples.failed.items():
        _logger.warning("%s is left out: %s", name, reason)


def _environ() -> dict[str, str]:
    """Return the environment of measured programs: Python as installed, with compiled modules."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

"""Measure the toolkit itself, beside its peers."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
from pathlib import Path

from projects.bench.library import peers as peers_of
from projects.bench.library.measuring import (
    describe,
    leave_out,
    measure,
    neutral_environ,
    work_folder,
)
from projects.bench.library.peers import Peer
from projects.core.library import env, run

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
    with recorded(env.ARTIFACT_DIR, "command_overhead", settings) as result, work_folder() as work:
        peers_of.require_installed(asked)
        probes = [
            overhead.our_probe(calls_per_round, work, neutral_environ()),
            overhead.spawn_probe(work, neutral_environ()),
            *overhead.peer_probes(asked, work, neutral_environ()),
        ]
        measure(probes, rounds, warm_ups, asked, result)


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
    with recorded(env.ARTIFACT_DIR, "startup", settings) as result, work_folder() as work:
        peers_of.require_installed(asked)
        probes = [
            *programs.our_probes(work, neutral_environ()),
            *programs.peer_probes(asked, work, neutral_environ()),
        ]
        measure(probes, rounds, warm_ups, asked, result)


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
    with recorded(env.ARTIFACT_DIR, "configuration", settings) as result, work_folder() as work:
        peers_of.require_installed(asked)
        source = work / "projects" / "measured" / "testing"
        source.mkdir(parents=True)
        task = configuration_point.write_task(source, made)
        shutil.copy(source / "config.yaml", env.ARTIFACT_DIR / "measured_config.yaml")
        probes = configuration_speed.probes(source, task, asked, work, neutral_environ())
        measure(probes, rounds, warm_ups, asked, result)


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
    with recorded(env.ARTIFACT_DIR, "parse", settings) as result, work_folder() as work:
        root = work / "results"
        generated_results.generate(root, count=results, samples=samples, seed=seed)
        probes = parse_speed.probes(root, work, os.environ, serial=serial_walk)
        measure(probes, rounds, warm_ups, [], result)


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
    from projects.bench.library.result import recorded

    settings = {"rounds": rounds, "series": series, "length": length, "effect": effect}
    with recorded(env.ARTIFACT_DIR, "change_points", settings) as result:
        describe(result)
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
    with recorded(env.ARTIFACT_DIR, "export", settings) as result, work_folder() as work:
        peers_of.require_installed(asked)
        if missing := radosgw.missing():
            leave_out(result, {"the S3 server": missing})
            return
        sources = export_speed.write_sources(work / "sources", files, megabytes)
        with radosgw.running(work / "server", memory=8 * 1024**3) as server:
            export_speed.make_bucket(server)
            probes = export_speed.probes(sources, server, asked, work, neutral_environ())
            measure(probes, rounds, warm_ups, asked, result)


def jobs_throughput(
    *, rounds: int = 5, warm_ups: int = 1, jobs: int = 2000, peers: list[Peer] | None = None
) -> None:
    """Measure jobs that run /bin/true in two slots, through our server and by others.

    Args:
        rounds: Rounds that count; in each, every contestant has its turn.
        warm_ups: Rounds before, that do not count.
        jobs: Jobs of a round; HyperQueue's client looks once a second, so fewer are unfair to it.
        peers: Whom to measure beside us; huey, hyperqueue and ray run jobs. With any, so does
            task-spooler, where it is installed.
    """
    _contest("jobs_throughput", rounds, warm_ups, jobs, peers or [])


def jobs_start(
    *, rounds: int = 5, warm_ups: int = 1, jobs: int = 100, peers: list[Peer] | None = None
) -> None:
    """Measure the time from a submission to the job's own clock, with everybody idle.

    Args:
        rounds: Rounds that count; in each, every contestant has its turn.
        warm_ups: Rounds before, that do not count.
        jobs: Jobs of a round, one after the other.
        peers: Whom to measure beside us; huey, hyperqueue and ray run jobs.
    """
    _contest("jobs_start", rounds, warm_ups, jobs, peers or [])


def jobs_bulk_submit(
    *, rounds: int = 5, warm_ups: int = 1, jobs: int = 20000, peers: list[Peer] | None = None
) -> None:
    """Measure one submission of many jobs until it is acknowledged, which is when it is on disk.

    Args:
        rounds: Rounds that count; in each, every contestant has its turn.
        warm_ups: Rounds before, that do not count.
        jobs: Jobs of the submission, at most 100,000.
        peers: Whom to measure beside us; huey and hyperqueue have queues.
    """
    _contest("jobs_bulk_submit", rounds, warm_ups, jobs, peers or [])


def jobs_million(
    *,
    rounds: int = 3,
    warm_ups: int = 0,
    jobs: int = 1_000_000,
    rows: int = 100_000,
    runs: int = 10_000,
    calls: int = 100,
) -> None:
    """Measure lists, filters, counts, pages and the start of a hub that has very many jobs.

    Args:
        rounds: Rounds that count.
        warm_ups: Rounds before, that do not count.
        jobs: Jobs in the store, which is made at the first time and kept in the user's cache.
        rows: Rows in result tables, kept likewise.
        runs: Exported runs, kept likewise.
        calls: Calls of each kind in a round.
    """
    from projects.bench.library.million_jobs import Million
    from projects.bench.library.result import recorded

    settings = {"rounds": rounds, "jobs": jobs, "rows": rows, "runs": runs, "calls": calls}
    with recorded(env.ARTIFACT_DIR, "jobs_million", settings) as result, work_folder() as work:
        million = Million(jobs, calls, work, neutral_environ(), rows, runs)
        measure(million.probes(), rounds, warm_ups, [], result)
        result.scores = million.figures


def jobs_memory(ran: int = 2000, waiting: int = 20000) -> None:
    """Measure the memory of server, spawner and runners, idle and with jobs.

    Args:
        ran: So many jobs run before the second look.
        waiting: So many wait at the third.
    """
    from projects.bench.library import job_memory
    from projects.bench.library.result import recorded

    settings = {"ran": ran, "waiting": waiting}
    with recorded(env.ARTIFACT_DIR, "jobs_memory", settings) as result, work_folder() as work:
        describe(result)
        result.scores = job_memory.measure(work, neutral_environ(), ran=ran, waiting=waiting)


def jobs_faults(rounds: int = 1000, seconds: float = 1800.0, seed: int = 1) -> None:
    """Kill server, spawner and runners at random moments under load; fail if a promise is broken.

    Nothing may be lost, run twice, end wrongly, or be left behind; the data directory is kept in
    the artifacts if it is.

    Args:
        rounds: Kills.
        seconds: No further kill after so many; what was reached is in the report.
        seed: Another seed is other moments.
    """
    from projects.bench.library import job_cases, job_faults
    from projects.bench.library.result import recorded

    settings = {"rounds": rounds, "seconds": seconds, "seed": seed}
    with recorded(env.ARTIFACT_DIR, "jobs_faults", settings) as result, work_folder() as work:
        describe(result)
        outcome = job_faults.measure(
            work,
            neutral_environ(),
            rounds=rounds,
            seconds=seconds,
            seed=seed,
            keep=env.ARTIFACT_DIR / "kept",
        )
        result.scores = job_faults.scores(outcome)
        if outcome.ready:
            result.seconds = {
                job_cases.READY: outcome.ready,
                job_cases.READY_P99: [job_cases.quantiles(outcome.ready)[job_cases.P99]],
            }
        result.notes = {"broken": "; ".join(outcome.told)} if outcome.told else {}
    if not outcome.good:
        raise job_faults.PromiseBroken("; ".join(outcome.told) or str(result.scores))


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
    options = ["--disable-pip-version-check", "--no-input", "--no-deps", "--require-hashes"]
    run.run([sys.executable, "-m", "venv", "--clear", str(peers_of.ENVIRONMENT)])
    run.run([python, "-m", "pip", "install", *options, "-r", str(peers_of.LOCK_FILE)])
    peers_of.mark_installed()


def install_programs() -> None:
    """Install the peers that are Debian packages, as root on Debian; else say what is missing."""
    from projects.bench.library.job_speed import missing_packages
    from projects.core.errors import TopgallantError

    packages = missing_packages()
    if not packages:
        return
    if os.geteuid() or not shutil.which("apt-get"):
        _logger.warning("not installed, so not measured: %s", ", ".join(packages))
        return
    try:
        run.run(["apt-get", "install", "--quiet", "--yes", "--no-install-recommends", *packages])
    except TopgallantError as error:
        _logger.warning("not measured: %s: %s", ", ".join(packages), error)


def remove_peers() -> None:
    """Remove the environment of the peers, if it is there."""
    if (peers_of.ENVIRONMENT / "pyvenv.cfg").is_file():
        shutil.rmtree(peers_of.ENVIRONMENT)


def _contest(bench: str, rounds: int, warm_ups: int, jobs: int, peers: list[Peer]) -> None:
    from projects.bench.library import job_cases, job_speed
    from projects.bench.library.result import recorded

    settings = {"rounds": rounds, "jobs": jobs, "peers": peers}
    with recorded(env.ARTIFACT_DIR, bench, settings) as result, work_folder() as work:
        peers_of.require_installed(peers)
        contest = job_speed.Contest(peers, work, neutral_environ())
        probes = contest.probes(bench, jobs)
        measure(probes, rounds, warm_ups, peers, result)
        leave_out(result, contest.missing)
        result.scores = contest.figures
        result.notes = {
            probe.name: text for probe in probes if (text := job_cases.KEPT.get(probe.name))
        }

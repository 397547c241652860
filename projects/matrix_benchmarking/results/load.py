"""All results below a directory: found, parsed in parallel or taken from the cache, merged."""

from __future__ import annotations

import json
import logging
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from projects.core.errors import UsageError, unknown
from projects.matrix_benchmarking.results import cache as caches
from projects.matrix_benchmarking.results import entry as entries
from projects.matrix_benchmarking.results.files import check_patterns, expected_files
from projects.matrix_benchmarking.results.garbage import no_collection
from projects.matrix_benchmarking.results.parser import SimpleParser
from projects.matrix_benchmarking.results.reading import Unreadable
from projects.matrix_benchmarking.results.result import (
    Collection,
    Finding,
    ImportantFile,
    Result,
)
from projects.matrix_benchmarking.results.surroundings import Around
from projects.matrix_benchmarking.results.walk import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from projects.matrix_benchmarking.results.entry import Entry
    from projects.matrix_benchmarking.results.parser import Parser
    from projects.matrix_benchmarking.results.walk import Level, Walk

_log = logging.getLogger(__name__)

CacheUse = Literal["verify", "trust", "ignore"]
"""Compare with the files; take what is kept even where files are missing; neither read nor write"""

_TRIAL_SECONDS = 0.4
"""So long is parsed here before it is decided whether processes are worth their start."""

_WORTH_SECONDS = 1.0
_BATCH_SECONDS = 0.2


def load(
    root: Path,
    parser: Parser,
    *,
    cache: CacheUse = "verify",
    workers: int | None = None,
    keep_duplicates: bool = False,
) -> Collection:
    """Return the results below `root` as `parser` reads them.

    Each has the settings of the directories from `root` down to its own. What is wrong with one is
    its `problem` and a finding; the others go on. Of several with the same settings only the newest
    is kept, unless `keep_duplicates`. `workers` are processes, as many as there are processors
    unless given; they are started only where enough is to be parsed.

    Errors
    ------
    UsageError
        `root` is no directory, or `cache` none of its words.
    InfrastructureError
        `root` cannot be read.
    """
    if cache not in {"verify", "trust", "ignore"}:
        raise UsageError(unknown("use of the cache", cache, ["verify", "trust", "ignore"]))
    check_patterns(parser.important_files)
    workers = workers or len(os.sched_getaffinity(0))
    with no_collection():
        return _load(Path(root), parser, cache, workers, keep_duplicates=keep_duplicates)


def _load(
    root: Path, parser: Parser, cache: CacheUse, workers: int, *, keep_duplicates: bool
) -> Collection:
    found = walk(root, caches.CACHE_FILE)
    made = _entries(found, parser, cache, workers)
    around = Around()
    results = [_result(level, made[level.path], parser, around) for level in found.results]
    findings = found.findings + [
        Finding(result.directory, result.problem) for result in results if result.problem
    ]
    if not keep_duplicates:
        results, dropped = _newest(results)
        findings += dropped
    findings.sort(key=lambda finding: finding.directory)
    return Collection(Path(found.root), tuple(results), tuple(findings))


def _entries(found: Walk, parser: Parser, use: CacheUse, workers: int) -> dict[str, Entry]:
    name = entries.parser_id(parser)
    known: dict[str, Entry] = {}
    if use != "ignore":
        for directory in sorted(found.caches, key=len, reverse=True):
            known |= caches.read(directory, name)
    before = {path: entry.at for path, entry in known.items()}
    made: dict[str, Entry] = {}
    missing: list[Level] = []
    for level in found.results:
        entry = known.get(level.path)
        if entry is not None and _is_current(level, entry, parser, trust=use == "trust"):
            made[level.path] = entry
        else:
            missing.append(level)
    kept = {path: entry.at for path, entry in made.items()}
    made |= parse(missing, parser, workers)
    good = {path: made[path] for path in sorted(made) if made[path].problem is None}
    if use != "ignore" and (kept != before or len(good) != len(kept)):
        reason = caches.write(found.root, name, good)
        if reason:
            _log.debug("parse cache not written: %s", reason)
    return made


def _is_current(level: Level, entry: Entry, parser: Parser, *, trust: bool) -> bool:
    try:
        expected = expected_files(level.path, level.names, parser.important_files)
    except (Unreadable, OSError):
        return False
    return entries.is_current(level.path, expected, entry, trust=trust)


def parse(levels: Sequence[Level], parser: Parser, workers: int) -> dict[str, Entry]:
    """Return the entries of results, parsed here or, where that takes longer, in processes."""
    done: dict[str, Entry] = {}
    started = time.monotonic()
    rest = list(reversed(levels))
    while rest:
        spent = time.monotonic() - started
        if done and spent > _TRIAL_SECONDS:
            each = spent / len(done)
            if workers > 1 and each * len(rest) > _WORTH_SECONDS:
                return done | _in_processes(rest[::-1], parser, workers, each)
            started, spent = float("inf"), 0.0  # decided: the rest is parsed here
        level = rest.pop()
        done[level.path] = _made_of_json(entries.make(level.path, level.names, parser))
    return done


def _in_processes(
    levels: Sequence[Level], parser: Parser, workers: int, each: float
) -> dict[str, Entry]:
    import joblib

    size = max(1, min(int(_BATCH_SECONDS / each), -(-len(levels) // workers)))
    jobs = [(level.path, level.names) for level in levels]
    batches = [jobs[at : at + size] for at in range(0, len(jobs), size)]
    run = joblib.Parallel(n_jobs=workers, backend="loky", batch_size=1, max_nbytes=None)
    texts = run(joblib.delayed(parse_batch)(batch, parser) for batch in batches)
    done = (_from_text(text) for batch in texts for text in batch)
    return {path: entry for (path, _), entry in zip(jobs, done, strict=True)}


def parse_batch(batch: Sequence[tuple[str, Iterable[str]]], parser: Parser) -> list[str]:
    """Return the entries of several results as JSON text, in a process of its own."""
    with no_collection():
        return [_to_text(entries.make(path, names, parser)) for path, names in batch]


def _to_text(entry: Entry) -> str:
    """Return an entry as JSON; what the parser returned has to fit."""
    try:
        parsed = json.dumps(entry.parsed)
    except (TypeError, ValueError, RecursionError) as error:
        parsed = "null"
        entry.problem = f"the parser returned what JSON cannot hold: {error}"
    rest = json.dumps([entry.files, entry.own, entry.at, entry.problem])
    return f"[{parsed},{rest}]"


def _from_text(text: str) -> Entry:
    parsed, (files, own, at, problem) = json.loads(text)
    return entries.Entry(files=files, own=own, parsed=parsed, at=at, problem=problem)


def _made_of_json(entry: Entry) -> Entry:
    """Return an entry as it is after JSON: a tuple a list, a key a text, cached or not."""
    return _from_text(_to_text(entry))


def _result(level: Level, entry: Entry, parser: Parser, around: Around) -> Result:
    directory, own, problem, parsed = Path(level.path), entry.own, entry.problem, entry.parsed
    settings = dict(own.get("settings", {}))
    try:
        settings = around.settings(level.above) | settings
    except Unreadable as error:
        problem = problem or str(error)
    if problem is None and type(parser).parse_always is not SimpleParser.parse_always:
        try:
            parsed = parser.parse_always(parsed, directory)
        except Exception as error:  # a foreign parser; the other results count
            problem = entries.said(error, own.get("exit_code"))
    return Result(
        directory=directory,
        settings=settings,
        exit_code=own.get("exit_code"),
        parsed=None if problem else parsed,
        files=tuple(ImportantFile(facts[0], facts[1], facts[4]) for facts in entry.files),
        problem=problem,
        start=_moment(own.get("start")),
        end=_end(own),
        surroundings=around.of_result(level),
        **({"test_uuid": UUID(own["test_uuid"])} if "test_uuid" in own else {}),
    )


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _end(own: dict[str, Any]) -> datetime | None:
    """Return when a result ended; without metadata, when its exit code was written."""
    written = own.get("mtime_ns")
    if written is not None:
        return datetime.fromtimestamp(written // 1_000_000_000, UTC)
    return _moment(own.get("end"))


def _newest(results: Sequence[Result]) -> tuple[list[Result], list[Finding]]:
    """Return the results without those that a newer one with the same settings replaces."""
    by_key: dict[tuple[tuple[str, str], ...], list[Result]] = {}
    for result in results:
        if result.problem is None:
            key = tuple(sorted((name, repr(value)) for name, value in result.settings.items()))
            by_key.setdefault(key, []).append(result)
    dropped: dict[Path, Finding] = {}
    for same in by_key.values():
        if len(same) == 1:
            continue
        newest = max(same, key=lambda result: (_when(result), result.directory))
        for result in same:
            if result is not newest:
                said = f"has the same settings as {newest.directory}, which is newer ({result.key})"
                dropped[result.directory] = Finding(result.directory, said)
    kept = [result for result in results if result.directory not in dropped]
    return kept, list(dropped.values())


def _when(result: Result) -> float:
    moment = result.end or result.start
    return moment.timestamp() if moment else 0.0

"""What a run directory says of itself: configuration, environment, KPIs, durations of commands."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from projects.core.artifacts import spans
from projects.core.configuration.document import Document
from projects.core.errors import TopgallantError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from projects.matrix_benchmarking.kpis.payload import Payload

JOURNAL, PAYLOADS = "events.jsonl", "lts_payload.json"
MOST_VALUES = 20_000
"""Values of one configuration that are compared."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a run: how long it took, in seconds, and how it ended."""

    name: str
    seconds: float
    outcome: str


@dataclass(frozen=True)
class RunFacts:
    """One run; keys of `configuration` and `environment` are dotted, values as they are read."""

    directory: Path
    configuration: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    payloads: tuple[Payload, ...] = ()
    commands: dict[str, Command] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def read_run(directory: Path, payloads: tuple[Payload, ...] | None = None) -> RunFacts:
    """Return what a run directory says; `payloads` are its results if they were parsed already.

    Without them they are taken from the newest `lts_payload.json` below it. What is missing or
    cannot be read is one of `.problems`.

    Errors
    ------
    UsageError
        It is no directory.
    """
    if not directory.is_dir():
        raise UsageError(f"{directory} is no directory: give the directory of a run")
    problems: list[str] = []
    return RunFacts(
        directory,
        configuration=dict(_flat(_yaml(directory / "config.yaml", problems))),
        environment=_environment(directory, problems),
        payloads=_payloads(directory, problems) if payloads is None else payloads,
        commands=_commands(directory, problems),
        problems=tuple(problems),
    )


def _yaml(path: Path, problems: list[str]) -> Any:
    if not path.is_file():
        problems.append(f"{path.name} is missing")
        return {}
    try:
        return Document.load(path).values
    except TopgallantError as error:
        problems.append(str(error))
        return {}


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted key, value) of a nested mapping; lists stay values."""
    count = 0
    stack = [(prefix, value)]
    while stack and count < MOST_VALUES:
        name, found = stack.pop()
        if isinstance(found, dict):
            inner = [(f"{name}.{key}" if name else str(key), item) for key, item in found.items()]
            stack += reversed(inner)
        elif name:
            count += 1
            yield name, found


def _environment(directory: Path, problems: list[str]) -> dict[str, Any]:
    metadata = _yaml(directory / "_meta" / "metadata.yaml", problems)
    facts = dict(metadata) if isinstance(metadata, dict) else {}
    kept = {key: facts[key] for key in ("versions", "host", "user") if key in facts}
    fingerprint = directory / "fingerprint.yaml"
    if fingerprint.is_file():
        found = _yaml(fingerprint, problems)
        kept |= found if isinstance(found, dict) else {}
    return dict(_flat(kept))


def _payloads(directory: Path, problems: list[str]) -> tuple[Payload, ...]:
    from projects.matrix_benchmarking.kpis import payload

    found = sorted(directory.rglob(PAYLOADS), key=lambda path: path.stat().st_mtime)
    if not found:
        problems.append(f"no {PAYLOADS} below it: there are no KPIs to compare")
        return ()
    try:
        return tuple(payload.read(found[-1]))
    except TopgallantError as error:
        problems.append(str(error))
        return ()


def _commands(directory: Path, problems: list[str]) -> dict[str, Command]:
    """Return the commands by name; a name that comes again has its number behind it."""
    try:
        run = spans.fold(spans.read_events(directory / JOURNAL))
    except OSError as error:
        problems.append(f"{JOURNAL}: {error.strerror}")
        return {}
    found: dict[str, Command] = {}
    for _, span in run.walk():
        if span.kind not in ("entrypoint", "command"):
            continue
        # The directory tells two calls of one command apart; its number may differ between runs.
        folder = os.path.basename(span.dir or "").partition("__")[2]
        name = folder.replace("__", " ") if span.kind == "command" and folder else span.name
        number, key = 2, name
        while key in found:
            key, number = f"{name} ({number})", number + 1
        found[key] = Command(key, run.seconds(span), span.outcome)
    return found

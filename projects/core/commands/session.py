"""A run: its directory, its journal, what is shown while it goes, what is left when it ends."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from projects import core
from projects.core import errors
from projects.core.artifacts import directory, history, journal, live, metadata
from projects.core.artifacts.complaints import complain
from projects.core.commands import report
from projects.core.processes import cancellation, output, signals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

CHECKOUT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Words:
    """What the user asked for, as it came from the command line."""

    project: str
    verb: str
    command_line: tuple[str, ...] = ()
    presets: tuple[str, ...] = ()
    overrides: tuple[tuple[str, Any, str], ...] = ()
    testing_dir: Path | None = None


class Place(NamedTuple):
    """Where a run goes: its artifact directory, and the top of the run that it belongs to."""

    path: Path
    top: Path

    @property
    def nested(self) -> bool:
        """Whether another process of ours opened the run and will close it."""
        return self.path != self.top


@dataclass
class Session:
    """The one run of this process; `at_end` is called before its end is reported."""

    words: Words
    place: Place
    span_id: str = ""
    silent: bool = False
    """Whether neither what happens nor a summary is shown."""
    prepared: Any = None
    """What the entrypoint has prepared before the run was opened, until it takes it."""
    skipped: str = ""
    """Why the entrypoint was left out, if it was."""
    view: live.LiveView | None = None
    config_file: Path | None = None
    secrets_variable: str = ""
    """The environment variable that names the directory of secrets, if the project has one."""
    at_end: list[Callable[[], object]] = field(default_factory=list)


_current: Session | None = None


def current() -> Session | None:
    """Return the run of this process, None outside of one."""
    return _current


def base_directory(environ: Mapping[str, str]) -> Path:
    """Return where run directories are made: $TOPGALLANT_BASE_DIR, or `artifacts/` here."""
    variable = _base_variable(environ)
    return Path(environ[variable]).absolute() if variable else CHECKOUT / "artifacts"


def _base_variable(environ: Mapping[str, str]) -> str:
    names = ("TOPGALLANT_BASE_DIR", "TOPSAIL_BASE_DIR")
    return next((name for name in names if environ.get(name)), "")


def make_run_directory(base: Path, words: Words, now: time.struct_time) -> Path:
    """Make `<base>/YYYYmmdd-HHMMSS__project__verb[-N]`, always a new one, and link `latest`.

    A call that names the run which `latest` leads to is about that run, so the link stays: what
    was exported or plotted once can be so again in the same words.
    """
    stem = f"{time.strftime('%Y%m%d-%H%M%S', now)}__{words.project}__{words.verb}"
    try:
        base.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, 10_000):
            path = base / (stem if attempt == 1 else f"{stem}-{attempt}")
            try:
                path.mkdir()
            except FileExistsError:
                continue
            if not _names_latest(words.command_line, base):
                _link_latest(base, path)
            return path
    except OSError as error:
        raise errors.unreadable(base, error) from error
    raise errors.InfrastructureError(f"{base}: 10,000 runs of this second exist already")


def _names_latest(command_line: Sequence[str], base: Path) -> bool:
    try:
        run = (base / "latest").readlink().name
    except OSError:  # no run yet, or a file system without links
        return False
    return any(run in word.rpartition("=")[2].split("/") for word in command_line)


def _link_latest(base: Path, path: Path) -> None:
    """Point `latest` at `path`; a convenience, so a file system without links is no error."""
    temporary = base / f".latest-{os.getpid()}"
    try:
        temporary.symlink_to(path.name)
        temporary.replace(base / "latest")
    except OSError:
        temporary.unlink(missing_ok=True)


def choose_place(words: Words, environ: Mapping[str, str]) -> Place:
    """Return `$ARTIFACT_DIR`, or a new run directory.

    With `$TOPGALLANT_RUN` above `$ARTIFACT_DIR` this process is a child of that run: it adds to
    its journal and leaves the closing to it.

    Errors
    ------
    InfrastructureError
        The directory cannot be made or written.
    """
    place = given_place(environ)
    if place is None:
        try:
            path = make_run_directory(base_directory(environ), words, time.localtime())
        except errors.InfrastructureError as error:
            if variable := _base_variable(environ):
                raise errors.InfrastructureError(f"{variable}={error.message}") from error
            raise
        return Place(path, path)
    path = place.path
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise errors.unreadable(f"ARTIFACT_DIR={path}", error) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise errors.InfrastructureError(f"ARTIFACT_DIR={path} cannot be written")
    return place


def given_place(environ: Mapping[str, str]) -> Place | None:
    """Return the place that `$ARTIFACT_DIR` names, whether it is there or not; None without it."""
    given = environ.get("ARTIFACT_DIR")
    if not given:
        return None
    path = Path(given).absolute()
    top = environ.get("TOPGALLANT_RUN")
    if top and path.is_relative_to(top) and os.path.exists(os.path.join(top, report.JOURNAL)):
        return Place(path, Path(top))
    return Place(path, path)


@contextmanager
def opened(words: Words, *, began: float | None = None, silent: bool = False) -> Iterator[Session]:
    """Open the run of this process for the block; within one, that one goes on.

    Signals, prints, log messages and events are taken over for the time of the block. At its end
    the run's directory holds `FINISHED`, `FAILURES` if anything failed, `junit.xml`, the timeline
    page and `config.yaml`; unless `silent`, a summary is shown. Exceptions go on. `began` (of
    `time.perf_counter`) is when the run began, if that was before.

    Errors
    ------
    InfrastructureError
        The directory or its journal cannot be written.
    """
    global _current  # noqa: PLW0603 - a process belongs to one run at a time
    if _current is not None:
        yield _current
        return
    began = time.perf_counter() if began is None else began
    place = choose_place(words, os.environ)
    run = Session(words, place, silent=silent)
    before, _current = directory.set_run_root(place.top), run
    try:
        with ExitStack() as stack:
            stack.enter_context(_stoppable(run))
            stack.callback(_close, run)
            _take_over(stack, run)
            span = stack.enter_context(_span(run, began))
            run.span_id = span.id
            stack.callback(_say_at_end, run, span)
            stack.enter_context(directory.TempArtifactDir(place.path))
            span.overhead += time.perf_counter() - began
            yield run
    finally:
        _current = None
        directory.set_run_root(before)


def _stoppable(run: Session) -> ExitStack:
    """Return the context in which signals stop everything that the run started."""

    def announce(text: str) -> None:
        if run.view is not None:
            run.view.urgent(text)

    stack = ExitStack()
    scope = stack.enter_context(cancellation.Scope("the run"))
    stack.enter_context(signals.handling(scope, announce))
    return stack


def _take_over(stack: ExitStack, run: Session) -> None:
    """Begin to keep and to show what is printed, logged and told to the journal."""
    place = run.place
    log = stack.enter_context(journal.Journal(place.top / report.JOURNAL))
    stack.enter_context(output.capture_prints())
    stack.enter_context(output.log_to(place.path / "_run.log"))
    if run.silent:
        return
    run.view = view = stack.enter_context(contextlib.closing(_live_view(run)))
    log.listeners.append(view)
    stack.callback(output.set_terminal, output.set_terminal(functools.partial(_show, view)))


def _show(view: live.LiveView, text: str, stream: output.Stream, label: str) -> None:
    """Show text above the live region, unless it is data on its way into a file or pipe."""
    if stream == "stdout" and not (view.tree and _is_terminal("stdout")):
        output.write_plainly(output.with_label(text, label) if label else text, stream)
        return
    for line in text.splitlines():
        view.log_line(line, label)


def _is_terminal(stream: output.Stream) -> bool:
    file = output.real_stream(stream)
    return file is not None and file.isatty()


def _live_view(run: Session) -> live.LiveView:
    words, top = run.words, run.place.top
    return live.LiveView(
        output.real_stream("stderr") or sys.stderr,
        history=lambda: history.durations(top.parent, words.project, words.verb, but=top.name),
    )


def _span(run: Session, began: float) -> AbstractContextManager[journal.Span | journal.NoSpan]:
    words = run.words
    return journal.span(
        "run",
        f"{words.project} {words.verb}",
        began=began,
        dir=run.place.path,
        project=words.project,
        verb=words.verb,
        presets=list(words.presets),
        host=os.uname().nodename,
        version=core.__version__,
    )


def _say_at_end(run: Session, span: journal.Span | journal.NoSpan) -> None:
    # Not at the start: until the secrets are known, a word could hold one of them.
    span.end_fields["command_line"] = ["./run_toolbox.py", *run.words.command_line]
    if run.skipped:
        span.end_fields.update(outcome="skipped", error=run.skipped)


def _close(run: Session) -> None:
    for call in run.at_end:
        try:
            call()
        except Exception as error:
            complain("at the end of the run", error)
    if not run.place.nested:
        summary = report.close(run.place.path, run.span_id)
        if not run.silent:
            output.write_plainly(summary)


def write_restart(directory: Path, argv: Sequence[str]) -> None:
    """Write the script that does `argv` again, with the configuration that the run began with."""
    run = _current
    began_with = run.config_file if run else None
    variable = run.secrets_variable if run else ""
    given = os.environ.get(variable, "") if variable else ""
    metadata.write_restart(
        directory,
        argv,
        {"TOPGALLANT_FROM_CONFIG_FILE": os.fspath(began_with)} if began_with else {},
        CHECKOUT,
        {variable: given and os.path.abspath(os.path.expanduser(given))} if variable else {},
    )

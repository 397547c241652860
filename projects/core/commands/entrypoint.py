"""Entrypoints of a project: called from the command line, each in a run of its own."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from projects.core import errors
from projects.core.artifacts import directory, journal, metadata
from projects.core.commands import session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


PREPARE_MARK = "__topgallant_prepare__"
"""Attribute of an entrypoint: what is called with the words before there is a run."""


class Skip(SystemExit):
    """The entrypoint is not on today's list: it ends at once, and the run counts as skipped."""

    def __init__(self, reason: str) -> None:
        super().__init__(errors.PASSED)
        self.reason = reason


def skip_reason(exec_list: Mapping[str, Any], verb: str) -> str | None:
    """Return why `exec_list` leaves `verb` out, or None if it is to be run.

    `verb: false` leaves it out. With `_only_: true`, so does anything but `verb: true`. What the
    list does not mention is run.
    """
    if verb not in exec_list:
        return None
    if exec_list[verb] is False:
        return f"{verb} is skipped: exec_list.{verb} is false"
    if exec_list.get("_only_") and exec_list[verb] is not True:
        return f"{verb} is skipped: exec_list._only_ is true and {verb} is not on the list"
    return None


def skip(reason: str) -> None:
    """Leave the marker SKIPPED and end the entrypoint."""
    (directory.current() / "SKIPPED").write_text(reason + "\n", encoding="utf-8")
    run = session.current()
    if run is not None:
        run.skipped = reason
    raise Skip(reason)


def call_entrypoint(
    function: Callable[..., Any],
    project: str,
    verb: str,
    arguments: Sequence[Any] = (),
    keywords: Mapping[str, Any] | None = None,
    *,
    presets: Sequence[str] = (),
    overrides: Sequence[tuple[str, Any, str]] = (),
    testing_dir: Path | str | None = None,
    command_line: Sequence[str] = (),
) -> Any:
    """Call an entrypoint in a run of its own; return its value.

    `presets` and `overrides` (key, value, word as typed) are applied by `config.init`, on top of
    everything else.

    What the decorator prepares before there is a run may fail: then one is opened only where its
    directory is given, for who looks there, and nothing is shown but the error.
    """
    words = session.Words(
        project=project,
        verb=verb,
        command_line=tuple(command_line),
        presets=tuple(presets),
        overrides=tuple(overrides),
        testing_dir=Path(testing_dir) if testing_dir else None,
    )
    keywords = dict(keywords or {})
    began = time.perf_counter()
    prepared, mistake = _prepared(function, words)
    if mistake is not None and session.given_place(os.environ) is None:
        raise mistake
    with session.opened(words, began=began, silent=mistake is not None) as run:
        run.prepared = prepared
        where = run.place.path
        meta = metadata.write_metadata(
            where,
            f"{project} {verb}",
            {**{str(n): value for n, value in enumerate(arguments, 1)}, **keywords},
            presets=list(presets),
        )
        error: BaseException | None = None
        try:
            with journal.span("entrypoint", verb, dir=where) as span:
                if mistake is not None:
                    raise mistake
                try:
                    return function(*arguments, **keywords)
                except Skip as left_out:
                    span.end_fields.update(outcome="skipped", error=left_out.reason)
                    return None
        except BaseException as caught:
            error = caught
            raise
        finally:
            session.write_restart(where, ["./run_toolbox.py", *words.command_line])
            status = errors.PASSED if error is None else errors.exit_status_of(error)
            outcome = "skipped" if run.skipped else errors.outcome_of(error)
            # Not at the start: until the secrets are known, a value could be one of them.
            typed = {key: value for key, value, _ in overrides}
            metadata.finish_metadata(meta, outcome, exit_status=status, overrides=typed)


def _prepared(
    function: Callable[..., Any], words: session.Words
) -> tuple[Any, errors.TopgallantError | None]:
    """Return what the entrypoint prepares, and the mistake that it finds."""
    prepare = getattr(function, PREPARE_MARK, None)
    if prepare is None or session.current() is not None:
        return None, None
    try:
        return prepare(words), None
    except errors.TopgallantError as mistake:
        return None, mistake

"""The run as one watches it: a live tree on a terminal, plain lines elsewhere.

It costs what it refreshes: four times a second at most, from a thread of its own, that begins (and
imports rich) only when a run has lasted `SOON` seconds.
Measured: 0.3 % of one core with one running span, 0.5 % with ten, 0.8 % with eighty.
"""

from __future__ import annotations

import atexit
import os
import re
import threading
import time
from typing import TYPE_CHECKING, TextIO

from projects.core.artifacts import readable, region
from projects.core.artifacts.board import Board
from projects.core.artifacts.complaints import complain
from projects.core.artifacts.summary import MARKS
from projects.core.secrets import masking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.live import Live

    from projects.core.artifacts.board import Row
    from projects.core.artifacts.journal import Event

REFRESH = 0.25
"""Seconds between two drawings of the live region."""

SOON = 0.4
"""Seconds that a run lasts before the live region appears."""

LONG = 10.0
"""Seconds from which a process that passed is worth a line when it ends."""

MOST_LINES = 24
"""Height of the live region at most; it never takes more than half of the terminal."""

MOST_WAITING = 2000
"""Lines of output that wait for the next drawing; the next writer draws at once."""

_LABEL = "36"  # SGR: calm, and the colour of what runs in the live region
_STYLES = {"passed": "32", "skipped": "2", "cancelled": "33"}  # SGR; all else is bold red
# Everything but colours would move the cursor out of place: ECMA-48 CSI and OSC, control codes.
_UNSAFE = re.compile(
    r"\x1b\[[0-?]*[ -/]*(?!m)[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b(?!\[)."
    r"|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]"
)


def wants_tree(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Tell whether `stream` is a terminal that a person watches (no NO_COLOR, CI, TERM=dumb)."""
    if environ.get("NO_COLOR") or environ.get("CI") or environ.get("TERM") in (None, "dumb"):
        return False
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


class LiveView:
    """A listener of the journal that shows what runs, what ended, and what children print.

    `history` is called once, in the background, when the live region appears: {path: seconds}.
    Nothing here ever raises into the run: a terminal that fails is said once and then left alone.
    """

    def __init__(
        self,
        stream: TextIO,
        history: Callable[[], Mapping[str, float]] | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._stream = stream
        self._history = history
        self._usual: Mapping[str, float] = {}
        self._board = Board()
        self._lock = threading.RLock()
        self._waiting: list[str] = []
        self._live: Live | None = None
        self._broken = False
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self.tree = wants_tree(stream, environ)

    def __call__(self, event: Event) -> None:
        """Take an event of the journal."""
        try:
            with self._lock:
                self._take(event)
        except Exception as error:
            self._give_up(error)

    def log_line(self, text: str, label: str = "") -> None:
        """Show a line of output above the live region; `label` says whose it is."""
        try:
            # A progress bar of a child overwrites itself: what it showed last counts.
            text = text.rstrip("\r\n").rpartition("\r")[2]
            text = _UNSAFE.sub("", text)
            if "\x1b" in text and self.tree:
                text += "\x1b[0m"
            if label and self.tree:
                label = f"\x1b[{_LABEL}m{label}\x1b[0m"
            with self._lock:
                self._print(label + masking.mask(text))
        except Exception as error:
            self._give_up(error)

    def urgent(self, text: str) -> None:
        """Show a line now, from a signal handler that may have interrupted any of the above."""
        held = self._lock.acquire(timeout=1)
        try:
            if held and self._live is not None:
                self._waiting.append(text)  # the next drawing shows it
            else:
                os.write(self._stream.fileno(), f"{text}\n".encode())
        except (OSError, ValueError):  # nobody watches
            pass
        finally:
            if held:
                self._lock.release()

    def close(self) -> None:
        """Remove the live region and give the terminal back; may be called twice."""
        self._closing.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=2)
        try:
            with self._lock:
                self._flush()
                live, self._live = self._live, None
                if live is not None:
                    live.stop()
        except Exception as error:
            self._give_up(error)
        atexit.unregister(self.close)

    # What is said.

    def _take(self, event: Event) -> None:
        now, kind = time.monotonic(), event["type"]
        if kind == "started":
            row = self._board.start(event, now)
            if self.tree:
                self._begin()
            elif row.kind != "process" and not _said_by_run(row):
                self._print(f"{_beginning(row)}▶ {region.fitted(row.label, 200)}")
        elif kind == "progress":
            self._board.progress(event, now)
        elif kind == "note" and event["level"] in ("warning", "error"):
            self._say(self._board.find(event["id"]), "!", str(event["message"]), "33")
        elif kind == "ended":
            ended = self._board.end(event)
            if ended is not None and _worth_a_line(event):
                self._say_end(ended, event)

    def _say_end(self, row: Row, event: Event) -> None:
        outcome = str(event["outcome"])
        text = f"{region.fitted(row.label, 200)}  {readable.duration(event['seconds'])}"
        if outcome == "skipped":
            text = f"{region.fitted(row.label, 200)}  skipped"
        elif outcome != "passed":
            told = str(event.get("error") or outcome)
            text += f"  {told}" if outcome in told.lower() else f"  {outcome}: {told}"
        self._say(row, MARKS.get(outcome, "✘"), text, _STYLES.get(outcome, "1;31"))

    def _say(self, row: Row | None, mark: str, text: str, style: str) -> None:
        text = text.replace("\n", " ")
        if self.tree:
            text = text if style == "32" else f"\x1b[{style}m{text}\x1b[0m"
            mark = f"\x1b[{style}m{mark}\x1b[0m"
        self._print(f"{_beginning(row)}{mark} {text}")

    def _print(self, text: str) -> None:
        if self._broken:
            return
        if self._live is None:
            self._stream.write(text + "\n")
            self._stream.flush()
            return
        self._waiting.append(text)
        if len(self._waiting) >= MOST_WAITING:
            self._flush()

    # The live region.

    def _begin(self) -> None:
        if self._thread is None and not self._closing.is_set():
            self._thread = threading.Thread(target=self._refresh, name="live view", daemon=True)
            self._thread.start()

    def _refresh(self) -> None:
        try:
            if self._closing.wait(SOON):
                return
            self._appear()
            self._usual = self._history() if self._history else {}
            while not self._closing.wait(REFRESH):
                with self._lock:
                    self._flush()
                    if self._live is not None:
                        self._live.refresh()
        except Exception as error:
            self._give_up(error)

    def _appear(self) -> None:
        from rich.console import Console
        from rich.live import Live

        console = Console(file=self._stream, force_terminal=True, highlight=False, emoji=False)
        live = Live(
            _Region(self._drawn),
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        with self._lock:
            if self._closing.is_set():
                return
            atexit.register(self.close)
            live.start()
            self._live = live

    def _drawn(self, width: int, height: int) -> list[region.Line]:
        with self._lock:
            most = max(min(MOST_LINES, height // 2), 3)
            lines = region.lines(self._board, self._usual, width, most, time.monotonic())
            # The cursor stays in an empty line: what the terminal echoes there (^C) must not wrap,
            # or the region would be one line higher than it is taken for.
            return [*lines, []]

    def _flush(self) -> None:
        if self._waiting and self._live is not None:
            waiting, self._waiting = self._waiting, []
            self._live.console.print(_Lines(waiting), end="", soft_wrap=True)

    def _give_up(self, error: Exception) -> None:
        self._broken = True
        self._closing.set()
        live, self._live = self._live, None
        try:
            if live is not None:
                live.stop()
        except Exception as another:
            error = another
        complain("the live view is off", error)


class _Region:
    """The live region as rich draws it."""

    def __init__(self, drawn: Callable[[int, int], list[region.Line]]) -> None:
        self._drawn = drawn

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        for line in self._drawn(console.width, console.height):
            yield Text.assemble(*line, no_wrap=True, overflow="crop")


class _Lines:
    """Lines of output as they are, colours included."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = texts

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.segment import Segment

        yield Segment("".join(f"{text}\n" for text in self._texts))


def _worth_a_line(event: Event) -> bool:
    if event["kind"] == "run":
        return False  # the summary follows
    if event["kind"] != "process":
        return True
    return event["outcome"] not in ("passed", "skipped") or event["seconds"] >= LONG


def _said_by_run(row: Row) -> bool:
    """Tell whether the run, whose line came just before, is called by what it calls: this."""
    run = row.parent
    if run is None or run.kind != "run" or len(run.children) > 1:
        return False
    return run.name == row.name or (row.kind == "entrypoint" and run.name.endswith(f" {row.name}"))


def _beginning(row: Row | None) -> str:
    """Return the clock, the indentation, and among parallel tasks the name of the own one."""
    clock = time.strftime("%H:%M:%S ")
    if row is None:
        return clock
    task, above = "", row.parent
    while above is not None and not task:
        if above.kind == "task":
            task = f"[{above.label}] "
        above = above.parent
    return clock + "  " * max(min(row.depth, 10) - 1, 0) + task

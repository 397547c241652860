"""Where text goes: to the log of every command around it, and through one door to the terminal."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, Protocol, TextIO

from projects.core.artifacts.ambient import Ambient
from projects.core.artifacts.complaints import complain
from projects.core.processes.lines import LineBuffer
from projects.core.secrets import masking

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator

    from projects.core.processes.proxies import Installation

    Door = Callable[[str, "Stream", str], object]

Stream = Literal["stdout", "stderr"]


class Sink(Protocol):
    """Something that keeps text: gets whole masked lines, from any thread."""

    def write(self, text: str) -> object:
        """Keep `text`."""


class LogFile:
    """A log that is appended to; lines of parallel writers never mix within a line.

    A disk that refuses is said once on stderr, and the run goes on.

    Errors
    ------
    OSError
        The file cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._descriptor = os.open(self.path, flags, 0o666)
        self._lock = threading.Lock()

    def write(self, text: str) -> None:
        """Append `text`; after `close` it is dropped."""
        data = text.encode("utf-8", "backslashreplace")
        try:
            with self._lock:  # the number of a closed descriptor may be another file's soon
                while data and self._descriptor >= 0:
                    data = data[os.write(self._descriptor, data) :]
        except OSError as error:
            complain(f"{self.path} is incomplete", error)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            descriptor, self._descriptor = self._descriptor, -1
            if descriptor >= 0:
                os.close(descriptor)


class _Labelled:
    """A log of what is around a labelled block: its lines begin with the label."""

    def __init__(self, log: LogFile, label: str) -> None:
        self.log = log
        self.label = label

    def write(self, text: str) -> None:
        self.log.write(with_label(text, self.label))


_chain: Ambient[tuple[Sink, ...]] = Ambient("output_sinks")
_label: Ambient[str] = Ambient("output_label")


def chain() -> tuple[Sink, ...]:
    """Return the sinks of this context, outermost first."""
    return _chain.get() or ()


@contextmanager
def attached(sink: Sink) -> Iterator[None]:
    """Send what is printed, logged and run in the block to `sink` as well."""
    end_lines()
    entry = _chain.enter((*chain(), sink))
    try:
        yield
    finally:
        end_lines()
        _chain.leave(entry)


@contextmanager
def log_to(path: str | os.PathLike[str]) -> Iterator[LogFile]:
    """Send what is printed, logged and run in the block to the file `path` as well."""
    log = LogFile(path)
    try:
        with attached(log):
            yield log
    finally:
        log.close()


@contextmanager
def labelled(label: str) -> Iterator[None]:
    """Begin each line that comes from the block with `label`, on the terminal and in outer logs.

    Logs that are opened within have the lines as they are. Labels within add to it.
    """
    end_lines()
    entry = _label.enter((_label.get() or "") + label)
    around = _chain.enter(tuple(_with_label(sink, label) for sink in chain()))
    try:
        yield
    finally:
        end_lines()
        _chain.leave(around)
        _label.leave(entry)


def _with_label(sink: Sink, label: str) -> Sink:
    if isinstance(sink, _Labelled):
        return _Labelled(sink.log, sink.label + label)
    # What else keeps text hands it to a program, not to people.
    return _Labelled(sink, label) if isinstance(sink, LogFile) else sink


def with_label(text: str, label: str) -> str:
    """Return `text`, whole lines, each with `label` before it."""
    return "".join(f"{label}{line}\n" for line in text.removesuffix("\n").split("\n"))


_door: Door | None = None
_door_lock = threading.RLock()


def set_terminal(door: Door | None) -> Door | None:
    """Let `door(text, stream, label)` show all text, None: write it; return the one before.

    It gets whole masked lines, one call at a time, from any thread, and what belongs before each
    of them (see `labelled`); for the plain way to the terminal it uses `write_plainly`.
    """
    global _door
    before, _door = _door, door
    return before


_muted: Ambient[bool] = Ambient("output_muted")


@contextmanager
def muted() -> Iterator[None]:
    """Keep text of this context from the terminal while the block runs; the sinks get it."""
    entry = _muted.enter(True)
    try:
        yield
    finally:
        end_lines()
        _muted.leave(entry)


def emit(text: str, stream: Stream = "stderr", label: str | None = None) -> None:
    """Show `text`, whole masked lines, on the terminal; never raises an ordinary exception.

    `label` is that of this context, unless it is given.
    """
    if _muted.get():
        return
    if label is None:
        label = _label.get() or ""
    with _door_lock:
        if _door is not None:
            try:
                _door(text, stream, label)
                return
            except Exception as error:
                complain("the view of the terminal failed, its text is written plainly", error)
        write_plainly(with_label(text, label) if label else text, stream)


def write_plainly(text: str, stream: Stream = "stderr") -> None:
    """Write `text` to the real stdout or stderr; a closed terminal is no error."""
    file = real_stream(stream)
    if file is None:
        return
    try:
        try:
            file.write(text)
        except UnicodeEncodeError:  # LANG=C, and a tick mark
            encoding = file.encoding or "ascii"
            file.write(text.encode(encoding, "backslashreplace").decode(encoding))
        file.flush()
    except (OSError, ValueError):
        pass  # head(1) has seen enough, or the stream is closed; the logs have it all


def deliver(text: str, stream: Stream = "stderr") -> None:
    """Send whole lines that are masked already to every sink of this context and the terminal."""
    for sink in chain():
        sink.write(text)
    emit(text, stream)


def say(text: str, stream: Stream = "stderr") -> None:
    """Mask `text`, one or more lines, and send it to the sinks of this context and the terminal."""
    deliver(masking.mask(text) + "\n", stream)


# By thread, asyncio task and stream: the incomplete line, the sinks that it is for, its label.
_incomplete: dict[tuple[int, int, Stream], tuple[LineBuffer, tuple[Sink, ...], str]] = {}


def printed(text: str, stream: Stream) -> None:
    """Take a piece of what the program prints; whole lines are delivered, the rest waits."""
    key, here = (threading.get_ident(), _task(), stream), chain()
    buffer, there, _ = _incomplete.get(key) or (LineBuffer(masking.mask), here, "")
    if there is not here:
        _end_line(key)
        buffer = LineBuffer(masking.mask)
    lines = buffer.feed(text)
    if buffer:
        _incomplete[key] = (buffer, here, _label.get() or "")
    else:
        _incomplete.pop(key, None)
    if lines:
        deliver(lines, stream)


def end_lines() -> None:
    """End the incomplete lines that this thread or asyncio task has printed, and deliver them."""
    if _incomplete:
        who = (threading.get_ident(), _task())
        _end_line((*who, "stdout"))
        _end_line((*who, "stderr"))


def _end_line(key: tuple[int, int, Stream]) -> None:
    buffer, sinks, label = _incomplete.pop(key, (None, (), ""))
    if buffer:
        text = buffer.close()
        for sink in sinks:
            sink.write(text)
        emit(text, key[2], label)


def _task() -> int:
    """Return what tells asyncio tasks of one thread apart; 0 outside of a loop."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:  # never imported: then no loop can be running
        return 0
    try:
        return id(asyncio.current_task())
    except RuntimeError:
        return 0


_installed: Installation | None = None
_install_lock = threading.Lock()


def real_stream(stream: Stream) -> TextIO | None:
    """Return the stream that text ends up in: the one before `capture_prints`, else `sys`'s."""
    installation = _installed
    file: TextIO | None = installation.real[stream] if installation else getattr(sys, stream)
    return file


def capturing() -> bool:
    """Tell whether `capture_prints` is in effect somewhere in the process."""
    return _installed is not None


def one_place() -> bool:
    """Tell whether stdout and stderr end up in the same place: a session, a terminal, a file."""
    if _installed is not None:
        return True
    try:
        return os.path.samestat(os.fstat(sys.stdout.fileno()), os.fstat(sys.stderr.fileno()))
    except (OSError, ValueError, AttributeError):  # replaced by something without a descriptor
        return False


@contextmanager
def capture_prints(formatter: logging.Formatter | None = None) -> Iterator[None]:
    """Send what is printed and logged in the process to the sinks of its context while it lasts.

    Nested and parallel use shares one installation, which the last one takes back. Log records
    from INFO on are written as `HH:MM:SS LEVEL message`, or as `formatter` says. A line appears
    when it is complete.
    """
    global _installed  # noqa: PLW0603 - sys.stdout is the process's as well
    with _install_lock:
        if _installed is None:
            from projects.core.processes.proxies import Installation

            _installed = Installation(formatter)
            _installed.install()
        _installed.users += 1
    try:
        yield
    finally:
        end_lines()
        with _install_lock:
            _installed.users -= 1
            if not _installed.users:
                for key in tuple(_incomplete):  # of threads that have ended
                    _end_line(key)
                _installed.remove()
                _installed = None

"""What stands in for stdout, stderr and the handlers of `logging` while a session lasts."""

from __future__ import annotations

import io
import logging
import sys
from typing import TYPE_CHECKING, TextIO

from projects.core.processes import output

if TYPE_CHECKING:
    from projects.core.processes.output import Stream


_NAMES: tuple[Stream, ...] = ("stdout", "stderr")


class Installation:
    """The proxies of sys.stdout and sys.stderr and the log handler; put in once, taken out once."""

    def __init__(self, formatter: logging.Formatter | None) -> None:
        self.users = 0
        self.real: dict[Stream, TextIO | None] = {name: getattr(sys, name) for name in _NAMES}
        self._proxies = {name: Proxy(self.real[name], name) for name in _NAMES}
        self._handler = _Handler(formatter)
        self._replaced: list[tuple[int, logging.Handler]] = []
        self._level: int | None = None

    def install(self) -> None:
        """Take the places."""
        for name, proxy in self._proxies.items():
            setattr(sys, name, proxy)
        root = logging.getLogger()
        # A handler that writes to the terminal itself would show every record a second time.
        for index, handler in enumerate(root.handlers):
            if type(handler) is logging.StreamHandler and handler.stream in self.real.values():
                self._replaced.append((index, handler))
        for _, handler in self._replaced:
            root.removeHandler(handler)
        root.addHandler(self._handler)
        if root.level > logging.INFO:
            self._level = root.level
            root.setLevel(logging.INFO)

    def remove(self) -> None:
        """Restore what was there before, except what somebody else has replaced since."""
        for name, proxy in self._proxies.items():
            proxy.over = True
            if getattr(sys, name) is proxy:
                setattr(sys, name, self.real[name])
        root = logging.getLogger()
        root.removeHandler(self._handler)
        for index, handler in self._replaced:
            root.handlers.insert(index, handler)
        if self._level is not None and root.level == logging.INFO:
            root.setLevel(self._level)


class Proxy(io.TextIOBase):
    """Stands for sys.stdout or sys.stderr; after the session it passes on to the real one."""

    # How text is kept, whatever the terminal's encoding is.
    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, real: TextIO | None, stream: Stream) -> None:
        self.over = False
        self._real = real
        self._stream = stream

    def write(self, text: str) -> int:
        """Take printed text."""
        if not self.over:
            output.printed(text, self._stream)
        elif self._real is not None:
            self._real.write(text)
        return len(text)

    def flush(self) -> None:
        """Do nothing: whole lines are out already, and an incomplete one waits for its end."""
        if self.over and self._real is not None:
            self._real.flush()

    def writable(self) -> bool:
        """Tell that one can write."""
        return True

    def isatty(self) -> bool:
        """Tell that this is no terminal: what is written also goes to log files."""
        return False

    def fileno(self) -> int:
        """Return the real descriptor, for children that inherit it."""
        if self._real is None:
            raise io.UnsupportedOperation("there is no such stream in this process")
        return self._real.fileno()

    @property
    def buffer(self) -> _Bytes:
        """The door for programs that print bytes."""
        return _Bytes(self)


class _Bytes(io.RawIOBase):
    """Bytes on their way into a proxy."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    def write(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]
        raw = bytes(data)
        self._proxy.write(raw.decode("utf-8", "backslashreplace"))
        return len(raw)

    def writable(self) -> bool:
        return True


class _Handler(logging.Handler):
    """Log records on their way to the sinks of their context."""

    def __init__(self, formatter: logging.Formatter | None) -> None:
        super().__init__()
        plain = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S")
        self.setFormatter(formatter or plain)

    def handle(self, record: logging.LogRecord) -> bool:
        """Emit without the lock of handlers: a view of the terminal that logs would wait for it."""
        passed = bool(self.filter(record))
        if passed:
            self.emit(record)
        return passed

    def emit(self, record: logging.LogRecord) -> None:
        try:
            output.say(self.format(record))
        except Exception:
            self.handleError(record)

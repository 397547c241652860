"""How far something is, for whoever watches."""

from __future__ import annotations

from collections.abc import Sized
from typing import TYPE_CHECKING, Self, TypeVar

from projects.core.artifacts import journal
from projects.core.processes import cancellation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

T = TypeVar("T")


class progress:  # noqa: N801 - used like a function
    """A named piece of work of `total` units, told about while the `with` block runs.

    `total` is None where nobody knows; `unit` is a word like "files".
    """

    def __init__(self, name: str, total: float | None = None, unit: str = "") -> None:
        self.done = 0.0
        self.total = total
        self._unit = unit
        self._span = journal.span("step", name)

    def __enter__(self) -> Self:
        self._span.__enter__()
        self.update(0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._span.__exit__(kind, error, trace)

    def advance(self, amount: float = 1) -> None:
        """Say that `amount` more is done; raises like `cancellation.checkpoint`."""
        self.update(self.done + amount)

    def update(self, done: float) -> None:
        """Say that `done` is done in all; raises like `cancellation.checkpoint`."""
        self.done = done
        self._span.progress(done, self.total, self._unit)
        cancellation.checkpoint()


def track(
    iterable: Iterable[T], name: str, total: float | None = None, unit: str = ""
) -> Iterator[T]:
    """Yield what `iterable` yields and tell how far it is; `total` is its length if it has one.

    Raises between two elements like `cancellation.checkpoint`.
    """
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    with progress(name, total, unit) as state:
        for element in iterable:
            yield element
            state.advance()

"""The seam behind which jobs run: processes here, later Slurm or Kubernetes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from projects.jobs.process.orders import Order, Report


class Backend(Protocol):
    """Takes orders and reports what became of them; `process.backend` is the first of its kind.

    The engine's thread calls everything but `wake`.
    """

    def start(self) -> list[Report]:
        """Find what still runs or has ended; an attempt that isn't mentioned never was started."""

    def launch(self, order: Order) -> None:
        """Have an attempt started; `wait` tells how it went."""

    def follow(self, orders: Sequence[Order], number: int, attempt: int) -> bool:
        """Have attempts started one after the other when that one is over, or else `Returned`.

        False: that can't be, of none of them.
        """

    def stop(self, number: int, attempt: int, reason: str) -> None:
        """End an attempt; `Ended` follows. Unknown ones: no effect."""

    def wait(self, timeout: float | None) -> list[Report]:
        """Return what has happened; nothing after `timeout` seconds or `wake`."""

    def wake(self) -> None:
        """Let `wait` return; from any thread."""

    def settled(self, attempts: Iterable[tuple[int, int]]) -> None:
        """Forget the ends of these (number, attempt): the database has them."""

    def close(self, stop_jobs: bool = False) -> None:
        """Let go; jobs go on and are found by the next `start`, unless they are to be stopped."""

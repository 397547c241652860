"""The places in large data where one of many 4-byte grams may begin, found at GB/s."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

SMALLEST = 256 * 1024
"""Bytes; below that the import of numpy, a tenth of a second, is never earned back."""

_BITS = 17
_SPREAD = 2654435761
"""Knuth's multiplicative hash, The Art of Computer Programming, 6.4."""


class Sieve:
    """Lets the aligned grams of data through whose hash is that of one of `grams`.

    All of it runs in numpy, which lets other threads run meanwhile.
    """

    def __init__(self, grams: Collection[int]) -> None:
        import numpy as np

        self.count = len(grams)
        self._table = np.zeros(1 << _BITS, bool)
        self._table[self._hashes(np.fromiter(grams, np.uint32, len(grams)))] = True

    @staticmethod
    def _hashes(grams: Any) -> Any:
        import numpy as np

        return (grams * np.uint32(_SPREAD)) >> np.uint32(32 - _BITS)

    def candidates(self, data: bytes) -> list[tuple[int, int]]:
        """Return (step, gram), `gram` the four bytes from `4 * step`, wherever one may be."""
        import numpy as np

        grams = np.frombuffer(data, np.uint32, len(data) // 4)
        steps = np.flatnonzero(self._table[self._hashes(grams)])
        found: Any = np.stack((steps, grams[steps]), 1).tolist()
        return [(step, gram) for step, gram in found]

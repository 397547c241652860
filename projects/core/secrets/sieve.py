"""What numpy finds in large data at GB/s: where one of many 4-byte grams may begin, and lines."""

from __future__ import annotations

from threading import local
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

SMALLEST = 256 * 1024
"""Bytes; below that the import of numpy, a tenth of a second, is never earned back."""

_STEPS = 64 * 1024
"""Grams or bytes at a time: what is computed of them stays in the cache of a core."""

_LINE_FEED, _RETURN = 10, 13
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
        self._table[_hash(np.fromiter(grams, np.uint32, len(grams)))] = True
        self._rooms = local()

    def _room(self) -> tuple[Any, Any, Any]:
        """Return this thread's arrays to compute in: new ones would cost more than the rest."""
        import numpy as np

        if not hasattr(self._rooms, "arrays"):
            kinds: tuple[Any, ...] = (np.uint32, np.intp, bool)
            self._rooms.arrays = [np.empty(_STEPS, kind) for kind in kinds]
        hashes, places, marks = self._rooms.arrays
        return hashes, places, marks

    def candidates(self, data: bytes) -> list[tuple[int, int]]:
        """Return (step, gram), `gram` the four bytes from `4 * step`, wherever one may be."""
        import numpy as np

        hashes, places, marks = self._room()
        found: list[tuple[int, int]] = []
        everything: Any = np.frombuffer(data, np.uint32, len(data) // 4)
        for begin in range(0, len(everything), _STEPS):
            grams = everything[begin : begin + _STEPS]
            count = len(grams)
            places[:count] = _hash(grams, hashes[:count])
            # No place is beyond the table; "clip" is what `take` does fastest.
            self._table.take(places[:count], out=marks[:count], mode="clip")
            steps: Any = np.flatnonzero(marks[:count])
            found += zip((steps + begin).tolist(), grams[steps].tolist(), strict=True)
        return found


def _hash(grams: Any, out: Any = None) -> Any:
    import numpy as np

    hashed = np.multiply(grams, np.uint32(_SPREAD), out=out)
    hashed >>= np.uint32(32 - _BITS)
    return hashed


def line_ends(data: bytes, end: int) -> int:
    """Return how many of the first `end` bytes are a line feed."""
    import numpy as np

    steps = _in_steps(memoryview(data)[:end])
    return sum(int(np.count_nonzero(codes == _LINE_FEED)) for _, codes in steps)


def runs_to_line_end(data: bytes, classes: bytes, columns: int) -> bool:
    """Tell whether `columns` bytes before a line's end (CR or LF) are all of one class.

    `classes` has an `a` at each byte of that class.
    """
    import numpy as np

    everything: Any = np.frombuffer(data, np.uint8)
    is_member: Any = np.frombuffer(classes, np.uint8) == ord("a")
    has_return = b"\r" in data
    run = b"a" * columns
    for begin, codes in _in_steps(data):
        ends = codes == _LINE_FEED
        if has_return:
            ends |= codes == _RETURN
        places: Any = np.flatnonzero(ends)
        places += begin
        if begin == 0:
            places = places[np.searchsorted(places, columns) :]
        for before in (1, columns // 3, 2 * columns // 3, columns):  # most are out after two
            places = places[is_member.take(everything.take(places - before))]
        for end in places.tolist():
            if data[end - columns : end].translate(classes) == run:
                return True
    return False


def _in_steps(data: bytes | memoryview) -> Iterator[tuple[int, Any]]:
    import numpy as np

    everything = np.frombuffer(data, np.uint8)
    for begin in range(0, len(everything), _STEPS):
        yield begin, everything[begin : begin + _STEPS]

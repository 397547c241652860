"""How often an address may be wrong: a window of failed attempts each, for a bounded number."""

from __future__ import annotations

from collections import OrderedDict, deque

MOST_ADDRESSES = 10_000
"""Further addresses push out the one that was wrong longest ago."""


class Throttle:
    """Counts failures per address: `most` within `window` seconds are answered, more are not."""

    def __init__(self, most: int = 20, window: float = 60.0) -> None:
        self.most = most
        self.window = window
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def failed(self, address: str, now: float) -> float | None:
        """Note a failure at `now` (seconds); return how long to wait if it was one too many."""
        times = self._failures.pop(address, None)
        if times is None:
            times = deque(maxlen=self.most)
        self._failures[address] = times
        if len(self._failures) > MOST_ADDRESSES:
            self._failures.popitem(last=False)
        while times and times[0] <= now - self.window:
            times.popleft()
        if len(times) >= self.most:
            return times[0] + self.window - now
        times.append(now)
        return None

"""Values that follow the context."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from projects.core.artifacts.ambient import Ambient


def test_leaving_out_of_order_keeps_the_fallback_right() -> None:
    value: Ambient[str] = Ambient("test")
    outer = value.enter("outer")
    inner = value.enter("inner")
    with ThreadPoolExecutor(1) as pool:
        value.leave(outer)
        assert pool.submit(value.get).result() == "inner"
        value.leave(inner)
        value.leave(inner)
        assert pool.submit(value.get).result() is None

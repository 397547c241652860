"""The call itself, through Python Fire, which is handed a call that leaves it nothing to guess."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType


class _Leaf:
    """A callable without parameters, whose values are typed already; it keeps the result."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call
        self._result: Any = None

    def __call__(self) -> None:
        if not gc.isenabled():  # see start.py
            gc.freeze()
            gc.enable()
        self._result = self._call()

    def taken(self) -> Any:
        """Return what the call returned; Fire saw None, and so prints and calls nothing more."""
        return self._result


def dispatch(words: Sequence[str], call: Callable[[], Any]) -> Any:
    """Let Fire walk along `words` to `call`, and return what it returned."""
    leaf = _Leaf(call)
    component: Any = leaf
    for word in reversed(words):
        component = {word: component}
    fire_core = _load_fire()
    fire_core.Fire(component, command=list(words), name="run_toolbox.py")
    return leaf.taken()


def _load_fire() -> ModuleType:
    """Import Fire without asyncio, which it imports for components that are coroutines.

    A call that we hand over is none (coroutines are run by the floor below), and asyncio is two
    thirds of the time that Fire takes to import. Whoever imports asyncio later gets the real one.
    """
    if "fire.core" not in sys.modules and "asyncio" not in sys.modules:
        import inspect
        import types

        stand_in = types.ModuleType("asyncio", "What Fire asks asyncio for.")
        stand_in.iscoroutinefunction = inspect.iscoroutinefunction  # type: ignore[attr-defined]
        sys.modules["asyncio"] = stand_in
        try:
            import fire.core
        finally:
            del sys.modules["asyncio"]
    import fire.core

    fire.core.Display = _display
    core: ModuleType = fire.core
    return core


def _display(lines: Sequence[str], out: Any) -> None:
    """Print rather than open a pager."""
    print("\n".join(lines), file=out)

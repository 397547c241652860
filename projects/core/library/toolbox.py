"""What a toolbox module may say about its commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = TypeVar("Command", bound=Callable[..., Any])


def query(function: Command) -> Command:
    """Mark a command that only reads and prints: it leaves no artifact directory."""
    function.__topgallant_query__ = True  # type: ignore[attr-defined]
    return function

"""What the room artifacts keeps; every name begins with `hub_`."""

from __future__ import annotations

from projects.hub.store.schema import metadata

__all__ = ["metadata"]

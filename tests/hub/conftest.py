"""The hub that tests call."""

from tests.hub.hub_world import hub

__all__ = ["hub"]

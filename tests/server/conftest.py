"""The server that tests call."""

from tests.jobs.http.puppets import world

__all__ = ["world"]

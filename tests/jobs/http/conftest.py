"""The fixtures of `puppets`, for the tests of the routes."""

from tests.jobs.http.puppets import world as world

"""The documentation is run in a copy of the checkout, as a reader would."""

from __future__ import annotations

from tests.end_to_end.conftest import copy, environ

__all__ = ["copy", "environ"]

"""Secrets that a test gets while it runs: make each a `Secret` and it is never shown."""

from __future__ import annotations

from projects.core.secrets.masking import mask
from projects.core.secrets.secret import Secret

__all__ = ["Secret", "mask"]

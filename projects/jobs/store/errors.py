"""What can be wrong with a store."""

from __future__ import annotations

from projects.core.errors import ConfigurationError, InfrastructureError, UsageError


class StoreError(InfrastructureError):
    """The store can't do what it was asked for."""


class StoreLocked(StoreError):
    """Another process is writing, and went on for longer than we wait."""


class StoreReadOnly(StoreError):
    """The file or its folder can't be written to."""


class StoreMissing(StoreError):
    """There is no folder for the file, or the file has gone."""


class StoreDamaged(StoreError):
    """The file is no database, or not in order."""


class StoreFull(StoreError):
    """The disk is full."""


class StoreAway(StoreError):
    """The database server doesn't answer."""


class ParentOver(UsageError):
    """The job from inside which a submission comes takes none any more."""

    http_status = 409


class StoreForeign(ConfigurationError):
    """The database belongs to something else, or to a newer version; it was left as it is."""

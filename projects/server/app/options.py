"""What a server is told on its command line."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from projects.core import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from projects.jobs.engine.settings import Settings as EngineSettings


@dataclass(frozen=True, slots=True)
class Options:
    """Where a server listens, what it serves, where its data is; `engine` has the rest."""

    engine: EngineSettings
    apps: Sequence[str] = ("hub", "satellite")
    host: str = "127.0.0.1"
    port: int = 8001
    """0: one that is free."""
    test_scripts: Sequence[Path] = ()
    checkout: Path | None = None
    """The checkout whose entrypoints are tools, too; None: none."""
    database: str = "satellite.db"
    """A file in the data directory, or elsewhere, or the URL of a database."""
    nickname: str = ""
    export_host: str = ""
    """The name under which the hub reaches this machine; empty: found by itself."""
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    allowed_hosts: Sequence[str] = ()
    """Further names in `Host` that a server on the loopback interface answers to."""
    hub_quota: int | None = None
    """Bytes of artifacts that the hub keeps at most; None: any number."""
    user_quota: int | None = None
    """The same of a user who has no quota of their own."""
    keep_artifacts_days: float | None = None
    """Artifacts go after so many days; None: they stay."""
    keep_artifacts_last: int = 10
    """So many of each project stay however old they are."""
    patience: float = 30.0
    """A client that takes nothing from a stream for so many seconds is dropped."""
    version: str = field(default=__version__)

    @property
    def scheme(self) -> str:
        """The scheme of the server's address."""
        return "https" if self.tls_certificate else "http"

    @property
    def database_url(self) -> str:
        """The database as `open_store` takes it."""
        if "://" in self.database:
            return self.database
        path = os.path.abspath(os.path.join(self.engine.data_directory, self.database))
        return f"sqlite:///{path}"

    @property
    def hub_database_url(self) -> str:
        """The database of the hub: beside that of the jobs, or the same on a database server."""
        if "://" in self.database:
            return self.database
        return f"sqlite:///{os.path.abspath(self.engine.data_directory / 'hub.db')}"

    @property
    def token_file(self) -> Path:
        """The file in the data directory with the token of this machine's user."""
        return self.engine.data_directory / "token"

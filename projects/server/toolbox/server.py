"""Serve the job systems of this machine."""

from __future__ import annotations

from pathlib import Path

from projects.core.library.toolbox import query


@query
def serve(  # noqa: PLR0917  (the words of a command line)
    apps: list[str] = ["hub", "satellite"],  # noqa: B006  (read, never changed; shown by --help)
    data_dir: Path = Path("satellite"),
    test_scripts: list[Path] = [Path("test_scripts")],  # noqa: B006
    host: str = "127.0.0.1",
    port: int = 8001,
    parallel_submissions: int = 1,
    parallel_jobs: int | None = None,
    expire_days: float = 10.0,
    clear_logs: bool = False,
    database: str = "satellite.db",
    nickname: str = "",
    hub: str | None = None,
    export_host: str = "",
    entrypoints: bool = True,
    tls_certificate: Path | None = None,
    tls_key: Path | None = None,
    allowed_hosts: list[str] = [],  # noqa: B006
    hub_quota: str = "",
    user_quota: str = "",
    keep_artifacts_days: float | None = None,
    keep_artifacts_last: int = 10,
) -> None:
    """Serve until Ctrl-C or SIGTERM. Jobs that run then go on; the next server takes them over.

    Args:
        apps: What is served beside /api/v1; the hub has the users and the pages.
        data_dir: Directory for the database, the logs of jobs, and the token of this machine.
        test_scripts: Directories with test scripts.
        host: Address to listen at; others than this machine reach 0.0.0.0.
        port: Port to listen at; 0 is one that is free.
        parallel_submissions: So many submissions run at once.
        parallel_jobs: So many jobs of one submission run at once; the number of CPUs by default.
        expire_days: Logs and files of jobs are removed after so many days.
        clear_logs: Start by removing logs and files of jobs that had ended before.
        database: File in the data directory, or the URL of a PostgreSQL database.
        nickname: Name of this satellite, for people.
        hub: Address of the hub to register with and to send results to; $TOPGALLANT_HUB by default.
        export_host: Name under which the hub reaches this machine; found by itself by default.
        entrypoints: Offer the entrypoints of this checkout's projects as tools, too.
        tls_certificate: File with the certificate, for HTTPS.
        tls_key: File with its key.
        allowed_hosts: Further names that the server answers to.
        hub_quota: So much of artifacts the hub keeps at most: 500GB, 2TiB; any by default.
        user_quota: The same of each user, unless an admin gives them another quota.
        keep_artifacts_days: Artifacts that were exported longer ago are removed; none by default.
        keep_artifacts_last: So many of each project stay however old they are.
    """
    import gc
    import os

    gc.disable()  # until it listens: to look for cycles among imports takes a fifth of the start
    from dataclasses import replace

    from projects.core.library import configure_logging
    from projects.jobs.engine.settings import Settings
    from projects.server.app import storage
    from projects.server.app.options import Options
    from projects.server.app.serving import serve as serve_with

    configure_logging()
    kept = storage.read(apps, hub_quota, user_quota, keep_artifacts_days, keep_artifacts_last)
    engine = Settings(
        data_directory=data_dir.absolute(),
        parallel_submissions=parallel_submissions,
        expire_days=expire_days,
        clear_logs_at_start=clear_logs,
        hub_url=hub or os.environ.get("TOPGALLANT_HUB") or None,
        hub_token=os.environ.get("TOPGALLANT_HUB_TOKEN") or None,
    )
    if parallel_jobs is not None:
        engine = replace(engine, parallel_jobs=parallel_jobs)
    serve_with(
        Options(
            engine=engine,
            apps=apps,
            host=host,
            port=port,
            test_scripts=[each.absolute() for each in test_scripts],
            checkout=Path(os.path.abspath(__file__)).parents[3] if entrypoints else None,
            database=database,
            nickname=nickname,
            export_host=export_host,
            tls_certificate=tls_certificate,
            tls_key=tls_key,
            allowed_hosts=allowed_hosts,
            **kept,
        )
    )

"""Run, watch and end jobs on a server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from projects.core.library.toolbox import query


def run(  # noqa: PLR0917  (the words of a command line)
    tool: str,
    params: dict[str, Any] = {},  # noqa: B006  (read, never changed; shown by --help)
    note: str = "",
    timeout: float | None = None,
    priority: int = 0,
    limits: dict[str, float] = {},  # noqa: B006
    server: str = "",
) -> dict[str, Any]:
    """Run one job to its end; what it leaves is copied here. Fails as the job does.

    Whatever ends this before ends the job as well. Called from inside a job it runs beside that.

    Args:
        tool: What is run, such as the name of a test script.
        params: Its parameters.
        note: What the job is for, for people.
        timeout: Seconds that the job may take.
        priority: Jobs of higher priority go first.
        limits: What the job may take.
        server: Address of the server; $SATELLITE_URL, or that of this machine, by default.

    Examples
    --------
    ./run_toolbox.py jobs run example --params='{a: 1}'
    """
    from projects.core.library import env
    from projects.jobs.library import running
    from projects.jobs.library.client import Client

    spec: dict[str, Any] = {"name": tool, "params": params}
    if timeout is not None:
        spec["timeout"] = timeout
    if limits:
        spec["limits"] = limits
    request = {"note": note, "priority": priority, "job_specs": [spec]}
    with env.NextArtifactDir("job") as directory:
        return running.run(Client(server or None), request, Path(directory))


@query
def submit(file: Path, detached: bool = False, server: str = "") -> Any:
    """Submit the jobs that a file describes; prints their ids.

    From inside a job they run beside that job and end with it.

    Args:
        file: JSON: {"job_specs": [{"name": TOOL, "params": {…}}], "parallel"?, "note"?}.
        detached: From inside a job: wait for their turn as any others, and outlive the job.
        server: Address of the server; $SATELLITE_URL, or that of this machine, by default.
    """
    import json

    from projects.core.errors import UsageError, unreadable

    try:
        value = json.loads(file.read_bytes())
    except OSError as error:
        raise unreadable(file, error) from None
    except ValueError as error:
        raise UsageError(f"{file}: {error}") from None
    from projects.jobs.library import inside

    client = _client(server)
    headers = inside.headers_for(client, detached=detached)
    return client.post_json("/api/v1/submissions", value, headers)


@query
def show(job: str, server: str = "") -> Any:
    """Show a job.

    Args:
        job: Its id or number.
        server: Address of the server; $SATELLITE_URL, or that of this machine, by default.
    """
    return _client(server).get_json(f"/api/v1/jobs/{_part(job)}")


@query
def list(  # noqa: A001, PLR0917  (the word that is typed)
    state: str = "",
    outcome: str = "",
    tool: str = "",
    submission: str = "",
    limit: int = 100,
    cursor: str = "",
    server: str = "",
) -> Any:
    """List jobs, the newest first.

    Args:
        state: Only those in these states: NEW … ARCHIVED, or queued, live, ended.
        outcome: Only those that ended so: SUCCESS, FAILED, TIMEOUT, CANCELLED, LOST.
        tool: Only those of these tools.
        submission: Only those of this submission.
        limit: So many at most, up to 1000.
        cursor: `next` of the page before.
        server: Address of the server; $SATELLITE_URL, or that of this machine, by default.
    """
    return _client(server).get_json(
        "/api/v1/jobs",
        state=state or None,
        outcome=outcome or None,
        tool=tool or None,
        submission=submission or None,
        limit=limit,
        cursor=cursor or None,
    )


@query
def log(job: str, follow: bool = False, stderr: bool = False, server: str = "") -> None:
    """Print what a job printed.

    Args:
        job: Its id or number.
        follow: Go on until the job has ended.
        stderr: Its standard error instead of its standard output.
        server: Address of the server; $SATELLITE_URL, or that of this machine, by default.
    """
    from projects.core.processes import cancellation
    from projects.jobs.library import logs
    from projects.jobs.library.waiting import Patience

    client, name = _client(server), "stderr" if stderr else "stdout"
    if follow:
        patience = Patience(lambda text: sys.stderr.write(f"{text}\n"), cancellation.sleep)
        for text in logs.follow(client, job, name, patience=patience):
            sys.stdout.write(text)
            sys.stdout.flush()
        return
    sys.stdout.flush()
    for piece in client.stream(f"/api/v1/jobs/{_part(job)}/logs/{name}"):
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


@query
def cancel(job: str, server: str = "") -> Any:
    """End a job that waits or runs.

    Args:
        job: Its id or number.
        server: Address of the server; $SATELLITE_URL, or that of this machine, by default.
    """
    return _client(server).post_json(f"/api/v1/jobs/{_part(job)}/cancel")


@query
def retry(job: str, server: str = "") -> Any:
    """Run a job that has ended once more.

    Args:
        job: Its id or number.
        server: Address of the server; $SATELLITE_URL, or that of this machine, by default.
    """
    return _client(server).post_json(f"/api/v1/jobs/{_part(job)}/retry")


def _client(server: str) -> Any:
    from projects.jobs.library.client import Client

    return Client(server or None)


def _part(text: str) -> str:
    from projects.jobs.library.client import part

    return part(text)

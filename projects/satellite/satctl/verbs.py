"""The verbs of satctl, each a call of one of the satellite's routes."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from projects.core.errors import UsageError
from projects.jobs.library.client import Refused, part
from projects.satellite.satctl import printing
from projects.satellite.satctl.words import split

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from projects.jobs.library.client import Client
    from projects.satellite.satctl.words import Kind

    Do = Callable[[Client, Mapping[str, Any], Sequence[str]], int]

PASSED = 0
MOST_BYTES = 64 << 20
"""What a server takes at most; of an endless file no more is read."""
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Verb:
    """What a verb does, and what it takes; `words` are those that it needs, for people."""

    do: Do
    summary: str
    words: str = ""
    flags: Mapping[str, Kind] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)
    most: int = 1
    least: int = 1
    until_plain: bool = False
    """The words after the first plain one are not satctl's to read."""


def call(verb: Verb, name: str, client: Client, words: Sequence[str]) -> int:
    """Do what a verb and its words say; return the exit status.

    Raises
    ------
    UsageError, Away, Refused
        The words don't fit; no server answers; it says no.
    """
    flags, plain = split(words, verb.flags, until_plain=verb.until_plain)
    if len(plain) < verb.least:
        raise UsageError(f"{name} needs {verb.words}; {_more(name)}")
    if len(plain) > verb.most and not verb.until_plain:
        takes = f"takes {verb.words} only" if verb.words else "takes no plain words"
        raise UsageError(f'"{plain[verb.most][:60]}" is one word too many: {name} {takes}')
    return verb.do(client, flags, plain)


def _more(name: str) -> str:
    return f"satctl {name} --help says more"


def _submit_file(client: Client, flags: Mapping[str, Any], words: Sequence[str]) -> int:
    (path,) = words
    body = _read(path)
    try:
        answer = _send(client, flags, body)
    except Refused as error:
        error.args = (f"{'standard input' if path == '-' else path}: {error}",)
        raise
    if not flags.get("wait"):
        return printing.show(answer)
    from projects.satellite.satctl import waiting

    data = printing.data_of(answer)
    _say(f"submission {data['submission_id']}, jobs: {len(data['job_ids'])}")
    return waiting.submission(client, data["submission_id"], flags.get("timeout"))


def _send(client: Client, flags: Mapping[str, Any], body: bytes) -> bytes:
    from projects.jobs.library import inside

    detached = flags.get("detached", False)
    if detached and flags.get("wait"):
        raise UsageError(
            "--detached and --wait: what waits for its turn behind a job isn't waited for inside it"
        )
    headers = inside.headers_for(client, detached=detached)
    return client.post("/satellite/submissions", body, headers)


def _read(path: str) -> bytes:
    from projects.core.errors import unreadable

    try:
        if path == "-":
            body = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with open(path, "rb") as file:
                body = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError):
            raise UsageError(f"{path!r}: {error}") from None
        raise unreadable(path, error) from None
    if len(body) > MOST_BYTES:
        said = "standard input" if path == "-" else path
        raise UsageError(f"{said}: more than {MOST_BYTES >> 20} MiB; send it in parts")
    return body


def _run(client: Client, flags: Mapping[str, Any], words: Sequence[str]) -> int:
    name, *given = words
    from projects.satellite.satctl import tests

    tool = tests.tool_of(client, name)
    if any(word in ("-h", "--help") for word in given):
        return printing.text(tests.help_of(tool))
    spec: dict[str, Any] = {"name": name, "params": tests.params_of(tool, given)}
    if "job_timeout" in flags:
        spec["timeout"] = flags["job_timeout"]
    wanted: dict[str, Any] = {"note": flags.get("note", ""), "job_specs": [spec]}
    try:
        answer = _send(client, flags, printing.json_bytes(wanted))
    except Refused as error:  # it names places of a JSON that nobody has typed here
        error.args = (str(error).replace("job_specs[0].params.", "--"),)
        raise
    if not flags.get("wait"):
        return printing.show(answer)
    from projects.satellite.satctl import waiting

    (job,) = printing.data_of(answer)["job_ids"]
    _say(f"job {job}")
    return waiting.job(client, job, flags.get("timeout"))


def _job(client: Client, flags: Mapping[str, Any], words: Sequence[str]) -> int:
    return printing.show(client.get(f"/satellite/jobs/{part(words[0])}", **flags))


def _jobs(client: Client, flags: Mapping[str, Any], words: Sequence[str]) -> int:
    del words
    return printing.show(client.get("/satellite/jobs", **flags))


def _submission(client: Client, flags: Mapping[str, Any], words: Sequence[str]) -> int:
    del flags
    return printing.show(client.get(f"/satellite/submissions/{part(words[0])}"))


def _submissions(client: Client, flags: Mapping[str, Any], words: Sequence[str]) -> int:
    del words
    return printing.show(client.get("/satellite/submissions", **flags))


def _tests(client: Client, flags: Mapping[str, Any], words: Sequence[str]) -> int:
    del flags, words
    return printing.show(client.get("/satellite/tests"))


def _test(client: Client, flags: Mapping[str, Any], words: Sequence[str]) -> int:
    del flags
    return printing.show(client.get(f"/satellite/tests/{part(words[0])}"))


def _info(client: Client, flags: Mapping[str, Any], words: Sequence[str]) -> int:
    del flags, words
    return printing.show(client.get("/satellite/info"))


def _log(client: Client, flags: Mapping[str, Any], words: Sequence[str]) -> int:
    (job,) = words
    log = "stderr" if flags.get("stderr") else "stdout"
    if flags.get("follow"):
        from projects.satellite.satctl import waiting

        return waiting.log(client, job, log, flags.get("tail"))
    path = f"/satellite/jobs/{part(job)}/logs/{log}"
    return printing.log(client.stream(path, tail=flags.get("tail")))


def _cancel(client: Client, flags: Mapping[str, Any], words: Sequence[str]) -> int:
    del flags
    wanted = part(_either(words[0]))
    try:
        return printing.show(client.post(f"/satellite/jobs/{wanted}/cancel"))
    except Refused as error:
        if error.status != _NOT_FOUND:
            raise
    return printing.show(_or_neither(client.post, f"/satellite/submissions/{wanted}/cancel", words))


def _retry(client: Client, flags: Mapping[str, Any], words: Sequence[str]) -> int:
    del flags
    return printing.show(client.post(f"/satellite/jobs/{part(words[0])}/retry"))


def _wait(client: Client, flags: Mapping[str, Any], words: Sequence[str]) -> int:
    from projects.satellite.satctl import waiting

    wanted = _either(words[0])
    timeout = flags.get("timeout")
    try:
        return waiting.job(client, wanted, timeout)
    except Refused as error:
        if error.status != _NOT_FOUND:
            raise
    _or_neither(client.get, f"/satellite/submissions/{part(wanted)}", words)
    return waiting.submission(client, wanted, timeout)


def _either(text: str) -> str:
    """Return the id of a job or submission: a number could be that of either."""
    if text.isdecimal():
        raise UsageError(f"{text} could be a job or a submission: give the id of 22 characters")
    return text


def _or_neither(do: Callable[[str], bytes], path: str, words: Sequence[str]) -> bytes:
    try:
        return do(path)
    except Refused as error:
        if error.status == _NOT_FOUND:
            error.args = (f"there is neither a job nor a submission {words[0]}",)
        raise


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


_PAGE: dict[str, Kind] = {"status": "text", "limit": "count", "cursor": "text"}
_ABOUT_PAGE = {
    "status": "PENDING, RUNNING, DONE, FAILED, TIMEOUT, CANCELLED; several with commas",
    "limit": "So many at most, up to 1000. Default: 100.",
    "cursor": "`next` of the page before.",
}
_WAITING: dict[str, Kind] = {"wait": "flag", "timeout": "seconds", "detached": "flag"}
_ABOUT_WAITING = {
    "detached": "From inside a job: wait for its turn as any other, and outlive the job.",
    "wait": "Wait for the end, print what it is then; the exit status says how it ended.",
    "timeout": "Wait no longer than so many seconds: exit status 124.",
}

VERBS: Mapping[str, Verb] = {
    "submit_file": Verb(
        _submit_file,
        "Submit the jobs that a file describes; - is standard input.",
        "FILE",
        _WAITING,
        _ABOUT_WAITING,
    ),
    "run": Verb(
        _run,
        "Submit one job; run TEST --help says what the test takes.",
        "TEST [--parameter=value …]",
        {"note": "text", "job_timeout": "seconds", **_WAITING},
        {
            "note": "What it is for, for people.",
            "job_timeout": "The job is stopped after so many seconds.",
            **_ABOUT_WAITING,
        },
        until_plain=True,
    ),
    "job": Verb(
        _job,
        "Show a job.",
        "ID",
        {"verbose": "flag"},
        {"verbose": "With reason, attempt, owner, what it took."},
    ),
    "jobs": Verb(
        _jobs,
        "List jobs, the newest first.",
        "",
        {**_PAGE, "submission": "text", "name": "text", "verbose": "flag"},
        {
            **_ABOUT_PAGE,
            "submission": "Only those of this submission.",
            "name": "Only those of this test.",
            "verbose": "With reason, attempt, owner, what they took.",
        },
        most=0,
        least=0,
    ),
    "submission": Verb(_submission, "Show a submission with the ids of its jobs.", "ID"),
    "submissions": Verb(
        _submissions,
        "List submissions, the newest first.",
        "",
        _PAGE,
        {**_ABOUT_PAGE, "status": "PENDING, RUNNING, DONE; several with commas"},
        most=0,
        least=0,
    ),
    "tests": Verb(
        _tests, "List the tests, wrong ones with the reason.", "", {}, {}, most=0, least=0
    ),
    "test": Verb(_test, "Show what a test takes.", "NAME"),
    "log": Verb(
        _log,
        "Print what a job printed.",
        "JOB_ID",
        {"follow": "flag", "stderr": "flag", "tail": "count"},
        {
            "follow": "Go on until the job has ended.",
            "stderr": "Its standard error instead of its standard output.",
            "tail": "Only so many lines at the end.",
        },
    ),
    "cancel": Verb(_cancel, "End a job, or all jobs of a submission.", "ID"),
    "retry": Verb(_retry, "Run a job that has ended once more.", "JOB_ID"),
    "wait": Verb(
        _wait,
        "Wait until a job or submission has ended, then show it.",
        "ID",
        {"timeout": "seconds"},
        {"timeout": "Wait no longer than so many seconds: exit status 124."},
    ),
    "info": Verb(_info, "Show the satellite in short.", "", {}, {}, most=0, least=0),
}

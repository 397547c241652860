"""Results on their way to the hub: taken from the job's directory, checked, kept until there."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, BinaryIO

from projects.core.errors import UsageError
from projects.jobs.model import identity
from projects.jobs.model.entities import Upload
from projects.jobs.tools.inside import open_inside

if TYPE_CHECKING:
    from pathlib import Path

    from projects.jobs.model.entities import Job
    from projects.jobs.tools.tool import UploadSpec

MOST_BYTES = 64 * 1024 * 1024
"""Size of a result file."""

_SMALL = 1024 * 1024  # read by ourselves; larger ones by a child, which doesn't hold up our threads
_CHUNK = 1024 * 1024
_CHECK_SECONDS = 60

_CHECK = """
import json, sys
def refuse(name):
    raise ValueError(name + " is no JSON number")
try:
    with open(sys.argv[1], "rb") as file:
        json.loads(file.read().decode("utf-8"), parse_constant=refuse)
except (ValueError, RecursionError) as error:
    sys.exit(str(error)[:200])
"""


class NoResult(UsageError):
    """A result file is missing, outside of the job's directory, too large, or no JSON."""


def collect(job: Job, number: int, spec: UploadSpec, logs: Path, outbox: Path) -> Upload:
    """Copy the result file of a job that has ended to the outbox; on the disk when this returns.

    The id depends on job, attempt and `number` alone, so doing it again changes nothing.

    Raises
    ------
    NoResult
        There is nothing to upload; the message says why.
    OSError
        The outbox can't be written to.
    """
    upload = Upload(
        id=upload_id(job, number),
        job=job.number,
        test_system=spec.test_system,
        test_name=spec.test_name,
        file=upload_id(job, number),
    )
    target = outbox / upload.file
    part = outbox / f"{upload.file}.part"
    with open_result(logs / job.id, spec.results_file) as source:
        try:
            _copy(source, part)
            check_json(part)
            os.rename(part, target)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(part)
    _sync_directory(outbox)
    return upload


def upload_id(job: Job, number: int) -> str:
    """Return the id of an upload: the same one for the same attempt."""
    data = hashlib.sha256(f"{job.id}.{job.attempt}.{number}".encode()).digest()[:16]
    version = bytes([data[6] & 0x0F | 0x40]), bytes([data[8] & 0x3F | 0x80])
    return identity.from_bytes(data[:6] + version[0] + data[7:8] + version[1] + data[9:])


def open_result(directory: Path, name: str) -> BinaryIO:
    """Open a regular file of at most 64 MiB that is really inside of the job's directory.

    Raises
    ------
    NoResult
        It isn't there, or isn't such a file.
    """
    try:
        file = open_inside(directory, name)
    except UsageError as error:
        raise NoResult(error.message) from None
    except OSError as error:
        raise NoResult(f"{name}: {error.strerror or error}") from None
    size = os.fstat(file.fileno()).st_size
    if size > MOST_BYTES:
        file.close()
        raise NoResult(f"{name}: {size:,} bytes; the most is {MOST_BYTES:,}")
    return file


def check_json(path: Path) -> None:
    """Check that a file is strict JSON in UTF-8: NaN and Infinity are not.

    Raises
    ------
    NoResult
        It isn't; the message says where.
    """
    if os.path.getsize(path) <= _SMALL:
        try:
            json.loads(path.read_bytes().decode(), parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise NoResult(f"it is not JSON: {str(error)[:200]}") from None
        return
    words = [sys.executable, "-I", "-S", "-c", _CHECK, os.fspath(path)]
    try:
        done = subprocess.run(
            words, capture_output=True, timeout=_CHECK_SECONDS, check=False, text=True
        )
    except subprocess.TimeoutExpired:
        raise NoResult(f"it can't be read as JSON within {_CHECK_SECONDS} s") from None
    if done.returncode:
        raise NoResult(f"it is not JSON: {done.stderr.strip()[-200:]}")


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _copy(source: BinaryIO, target: Path) -> None:
    left = MOST_BYTES
    with open(target, "wb", opener=_private) as copy:
        while chunk := source.read(min(_CHUNK, left + 1)):
            left -= len(chunk)
            if left < 0:
                raise NoResult(f"it grew beyond {MOST_BYTES:,} bytes")
            copy.write(chunk)
        copy.flush()
        os.fsync(copy.fileno())


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

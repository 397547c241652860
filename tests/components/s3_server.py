"""The S3 server that tests use: a real one, started once, or the one that is named."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from projects.bench.library.radosgw import Server, running
from projects.core.errors import InfrastructureError

NAMED = "S3_TEST_SERVER"
"""http://ACCESS_KEY:SECRET_KEY@HOST:PORT of a server to use instead of starting one."""

_numbers = itertools.count()


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Ceph's gateway. Without its programs the tests fail: what was not tried is not known."""
    given = urlsplit(os.environ.get(NAMED, ""))
    if given.hostname:
        endpoint = f"{given.scheme}://{given.hostname}:{given.port}"
        yield Server(endpoint, given.username or "", given.password or "")
        return
    # Sockets of the server have short names: a path of a test session may be too long for them.
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "CEPH_"))]:
            patch.delenv(name)
        try:
            started = running(tmp_path_factory.mktemp("s3", numbered=True))
            server = started.__enter__()
        except InfrastructureError as error:
            pytest.fail(f"{error}; or run tests/components/install.sh, or set {NAMED}")
        try:
            yield server
        finally:
            started.__exit__(None, None, None)


@pytest.fixture
def s3(s3_server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server, with the environment in which everybody finds it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return s3_server


@pytest.fixture
def bucket(s3: Server) -> Iterator[str]:
    """A new, empty bucket."""
    import boto3

    name = f"test-{os.getpid()}-{next(_numbers)}"
    client = boto3.client("s3")
    client.create_bucket(Bucket=name)
    yield name
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=name)
    for page in pages:
        keys = [{"Key": one["Key"]} for one in page.get("Contents", ())]
        if keys:
            client.delete_objects(Bucket=name, Delete={"Objects": keys, "Quiet": True})
    for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=name):
        for one in page.get("Uploads", ()):
            client.abort_multipart_upload(Bucket=name, Key=one["Key"], UploadId=one["UploadId"])
    client.delete_bucket(Bucket=name)

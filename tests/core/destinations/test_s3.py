"""An export to a real S3 server: verified, resumable, private, and one message for each error."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import boto3
import pytest

from projects.bench.library.radosgw import Server
from projects.core.destinations import manifest as manifests
from projects.core.destinations import s3_client, s3_lock, s3_multipart, s3_put
from projects.core.destinations.export import export
from projects.core.destinations.manifest import File
from projects.core.destinations.s3 import S3
from projects.core.destinations.s3_client import Access
from projects.core.destinations.s3_list import objects
from projects.core.destinations.s3_wire import Unexpected, Wire
from projects.core.destinations.source import examine
from projects.core.errors import (
    ConfigurationError,
    ExportRefused,
    InfrastructureError,
    UsageError,
)
from projects.core.secrets import masking

pytestmark = pytest.mark.xdist_group("s3")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "root"
    (path / "deep").mkdir(parents=True)
    (path / "config.yaml").write_text("a: 1\n")
    (path / "deep" / "_run.log").write_text("done\n" * 100)
    return path


@pytest.fixture
def client(s3: Server) -> Any:
    return boto3.client("s3")


def file_of(path: Path, name: str) -> File:
    content = (path / name).read_bytes()
    return File(name, len(content), sha256(content).hexdigest(), "")


def keys(client: Any, bucket: str) -> set[str]:
    return {o["Key"] for o in client.list_objects_v2(Bucket=bucket).get("Contents", ())}


def test_everything_is_there_with_its_type_and_hash(
    s3: Server, client: Any, bucket: str, root: Path
) -> None:
    result = export(root, S3(f"s3://{bucket}/team/run"), run_id="run")
    assert result.address == f"{s3.endpoint}/{bucket}/index.html#team/run/"
    assert keys(client, bucket) == {
        "index.html",
        "team/run/config.yaml",
        "team/run/deep/_run.log",
        "team/run/manifest.json",
    }
    log = client.head_object(Bucket=bucket, Key="team/run/deep/_run.log")
    assert log["ContentType"] == "text/plain; charset=utf-8"
    assert log["Metadata"]["sha256"] == file_of(root, "deep/_run.log").sha256
    text = client.get_object(Bucket=bucket, Key="team/run/manifest.json")["Body"].read()
    assert manifests.loads(text, "x") == result.manifest


def test_nobody_else_may_read_it(s3: Server, client: Any, bucket: str, root: Path) -> None:
    export(root, S3(f"s3://{bucket}/run"))
    for key in ("run/config.yaml", "run/manifest.json", "index.html"):
        with pytest.raises(HTTPError, match="403") as refused:
            urllib.request.urlopen(f"{s3.endpoint}/{bucket}/{key}")  # noqa: S310
        refused.value.close()
        grants = client.get_object_acl(Bucket=bucket, Key=key)["Grants"]
        assert [grant["Permission"] for grant in grants] == ["FULL_CONTROL"]


def test_the_page_of_somebody_else_stays(client: Any, bucket: str, root: Path) -> None:
    client.put_object(Bucket=bucket, Key="index.html", Body=b"theirs")
    export(root, S3(f"s3://{bucket}/run"))
    assert client.get_object(Bucket=bucket, Key="index.html")["Body"].read() == b"theirs"


def test_our_page_of_another_version_is_replaced(client: Any, bucket: str, root: Path) -> None:
    client.put_object(
        Bucket=bucket, Key="index.html", Body=b"old", Metadata={"topgallant-page": "0"}
    )
    export(root, S3(f"s3://{bucket}/run"))
    page = client.get_object(Bucket=bucket, Key="index.html")
    assert page["Body"].read().startswith(b"<!doctype html>")
    assert page["ContentType"] == "text/html; charset=utf-8"


def test_a_prefix_is_needed(s3: Server) -> None:
    with pytest.raises(UsageError, match="give a prefix too"):
        S3("s3://bucket")


def test_more_files_than_one_page_lists(bucket: str, root: Path) -> None:
    for number in range(1100):
        (root / "deep" / f"{number:04d}").write_bytes(b"%d" % number)
    assert export(root, S3(f"s3://{bucket}/run")).copied == 1102
    assert len(S3(f"s3://{bucket}/run").sizes()) == 1102
    (root / "deep" / "1099").write_bytes(b"another")
    assert export(root, S3(f"s3://{bucket}/run")).copied == 1


HALF = """
import os, signal, sys
from pathlib import Path
from projects.core.destinations.export import export
from projects.core.destinations.s3 import S3

def progress(done, total, unit):
    if done >= total // 2:
        os.kill(os.getpid(), signal.SIGKILL)

export(Path(sys.argv[1]), S3(sys.argv[2]), run_id="run", progress=progress)
"""


def test_an_export_killed_half_way_goes_on_and_ends_with_the_same_manifest(
    client: Any, bucket: str, root: Path, checkout: Path
) -> None:
    for number in range(60):
        (root / "deep" / f"{number:02d}").write_bytes(os.urandom(1000 + number))
    (root / "large").write_bytes(os.urandom(20_000_000))
    ended = subprocess.run(
        [sys.executable, "-c", HALF, str(root), f"s3://{bucket}/killed"],
        cwd=checkout,
        check=False,
        timeout=120,
    )
    assert ended.returncode == -signal.SIGKILL
    left = keys(client, bucket)
    assert "killed/manifest.json" not in left
    assert "killed/.topgallant-export/lock" in left

    resumed = export(root, S3(f"s3://{bucket}/killed"), run_id="run")
    assert 30 <= resumed.skipped < 63
    assert resumed.skipped + resumed.copied == 63
    whole = export(root, S3(f"s3://{bucket}/whole"), run_id="run")
    assert resumed.manifest.files == whole.manifest.files
    assert S3(f"s3://{bucket}/killed").sizes() == S3(f"s3://{bucket}/whole").sizes()
    assert "killed/.topgallant-export/lock" not in keys(client, bucket)
    assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket)


def test_uploads_that_a_killed_export_has_begun_are_aborted(
    client: Any, bucket: str, root: Path
) -> None:
    client.create_multipart_upload(Bucket=bucket, Key="run/large")
    client.create_multipart_upload(Bucket=bucket, Key="other/large")
    export(root, S3(f"s3://{bucket}/run"))
    uploads = client.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [one["Key"] for one in uploads] == ["other/large"]


def test_a_large_file_goes_in_parts_or_not_at_all(client: Any, bucket: str, root: Path) -> None:
    (root / "large").write_bytes(os.urandom(2 * s3_multipart.PART + 5))
    destination = S3(f"s3://{bucket}/run")
    file = file_of(root, "large")
    with destination.reserve():
        other = File(file.path, file.size, "0" * 64, "")
        assert not destination.put(other, root / "large")
        longer = File(file.path, file.size + 1, file.sha256, "")
        assert not destination.put(longer, root / "large")
        assert destination.sizes() == {}
        assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket)
        assert destination.put(file, root / "large")
        with destination.open_file("large") as content:
            assert sha256(content.read()).hexdigest() == file.sha256
        assert destination.holds(file)
    assert client.head_object(Bucket=bucket, Key="run/large")["ETag"].endswith('-3"')


@pytest.mark.parametrize(
    ("size", "expected"),
    [(1, 8 << 20), (10_000 * (8 << 20), 8 << 20), (10_000 * (8 << 20) + 1, (8 << 20) + 1)],
)
def test_there_are_never_more_parts_than_s3_takes(size: int, expected: int) -> None:
    assert s3_multipart.part_size(size) == expected
    assert -(-size // expected) <= s3_multipart.MOST_PARTS


def test_a_large_file_is_examined_with_its_parts_and_a_change_after_that_is_noticed(
    client: Any, bucket: str, root: Path
) -> None:
    large = root / "large"
    large.write_bytes(os.urandom(2 * s3_multipart.PART + 5))
    destination = S3(f"s3://{bucket}/run")
    file, _ = examine(root, "large", scan=True, part_size=destination.part_size)
    content = large.read_bytes()
    size = s3_multipart.PART
    assert file.parts == tuple(
        sha256(content[start : start + size]).hexdigest() for start in range(0, len(content), size)
    )
    with destination.reserve():
        with large.open("r+b") as changed:
            changed.seek(size + 7)
            changed.write(b"other")
        assert not destination.put(file, large)
        assert destination.sizes() == {}
        assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket)
        large.write_bytes(content + b"appended")
        assert destination.put(file, large)
        with destination.open_file("large") as stored:
            assert stored.read() == content


def test_a_change_is_noticed_where_the_server_compares_nothing(
    client: Any, bucket: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = s3_put.Sender._signed

    def unsigned(self: Any, request: str, digest: str, headers: Any, credentials: Any) -> Any:
        return signed(self, request, "UNSIGNED-PAYLOAD", headers, credentials)

    large = root / "large"
    large.write_bytes(os.urandom(s3_multipart.PART + 5))
    destination = S3(f"s3://{bucket}/run")
    file, _ = examine(root, "large", scan=True, part_size=destination.part_size)
    with destination.reserve():
        monkeypatch.setattr(s3_put.Sender, "_signed", unsigned)
        with large.open("r+b") as changed:
            changed.write(b"other")
        assert not destination.put(file, large)
        assert destination.sizes() == {}


def test_what_others_have_uploaded_is_read_to_be_compared(
    client: Any, bucket: str, root: Path
) -> None:
    destination = S3(f"s3://{bucket}/run")
    file = file_of(root, "config.yaml")
    with destination.reserve():
        client.put_object(Bucket=bucket, Key="run/config.yaml", Body=b"a: 2\n")
        assert not destination.holds(file)
        client.put_object(Bucket=bucket, Key="run/config.yaml", Body=b"a: 1\n")
        assert destination.holds(file)


def test_the_server_checks_what_it_gets_against_the_signature(bucket: str) -> None:
    connection = s3_client.Connection(S3(f"s3://{bucket}/x").place, Access(), 2)
    sender = s3_put.Sender(connection)
    headers = {"content-type": "text/plain"}
    refused = sender._directly(
        "PUT", "x/y", "", b"body", digest=sha256(b"other").hexdigest(), headers=headers
    )
    assert refused is None
    assert sender.head("x/y") is None
    sender.put("x/y", b"body", sha256(b"body").hexdigest(), headers)
    assert sender.head("x/y") is not None
    sender.close()


def test_a_connection_that_the_server_has_closed_is_made_anew(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = s3_put.Sender(s3_client.Connection(S3(f"s3://{bucket}/x").place, Access(), 2))
    sender.put("x/y", b"one", sha256(b"one").hexdigest(), {"content-type": "text/plain"})
    (idle,) = sender._idle
    idle._socket.shutdown(socket.SHUT_RDWR)
    assert sender._directly("HEAD", "x/y", "") is not None
    sender.close()


ANSWERS = [
    b"",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    b"HTTP/1.1 403 Forbidden\r\ncontent-length: 5\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n folded\r\n\r\n",
    b"\xff" * 100_000,
]


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_that_is_not_plain_is_left_to_boto3(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connected, _ = listening.accept()
            with connected:
                connected.recv(65536)
                connected.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        wire = Wire("127.0.0.1", listening.getsockname()[1], None)
        with pytest.raises((Unexpected, OSError)):
            wire.ask("PUT", "/b/k", {"host": "x"}, b"body")
        wire.close()
        thread.join()


def test_a_list_of_several_pages_is_the_same_by_whatever_way_its_pages_come(
    client: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["a b+c%.log", "é&<>.log", "deep/e/r", *(f"n{number}" for number in range(1001))]
    place = S3(f"s3://{bucket}/x").place
    connection = s3_client.Connection(place, Access(), 8)
    sender = s3_put.Sender(connection)
    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(
            lambda name: sender.put(
                place.key_of(name), b"1", sha256(b"1").hexdigest(), {"content-type": "x/y"}
            ),
            names,
        ):
            pass
    direct = list(objects(connection, sender))
    assert {key: (size, etag) for key, size, etag in direct} == {
        f"x/{name}": (1, '"c4ca4238a0b923820dcc509a6f75849b"') for name in names
    }
    list_page = s3_put.Sender.list_page

    def only_first(self: s3_put.Sender, query: dict[str, str], most: int) -> bytes | None:
        return None if "continuation-token" in query else list_page(self, query, most)

    monkeypatch.setattr(s3_put.Sender, "list_page", only_first)
    assert list(objects(connection, sender)) == direct
    for page in (None, b"<no", b"<Other/>", b"<ListBucketResult/>"):
        monkeypatch.setattr(s3_put.Sender, "list_page", lambda *_, page=page: page)
        assert list(objects(connection, sender)) == direct
    sender.close()


BODIES = [
    (b"content-length: 5\r\n\r\nhello", b"hello"),
    (b"transfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n", b"hello"),
    (b"transfer-encoding: chunked\r\n\r\n6\r\nhello!\r\n0\r\n\r\n", None),
    (b"transfer-encoding: chunked\r\n\r\nx\r\nhello\r\n0\r\n\r\n", None),
    (b"transfer-encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n", None),
    (b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx: y\r\n\r\n", None),
    (b"transfer-encoding: gzip\r\n\r\n5\r\nhello\r\n0\r\n\r\n", None),
    (b"content-length: 6\r\n\r\nhello", None),
    (b"content-length: 5\r\n\r\nhel", None),
    (b"content-length: -5\r\n\r\nhello", None),
    (b"\r\nhello", None),
]


@pytest.mark.parametrize(("answer", "body"), BODIES)
def test_a_body_is_read_to_its_end_or_left_to_boto3(answer: bytes, body: bytes | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connected, _ = listening.accept()
            with connected:
                connected.recv(65536)
                connected.sendall(b"HTTP/1.1 200 OK\r\n" + answer)

        thread = threading.Thread(target=serve)
        thread.start()
        wire = Wire("127.0.0.1", listening.getsockname()[1], None)
        if body is None:
            with pytest.raises((Unexpected, OSError)):
                wire.ask("GET", "/b/k", {"host": "x"}, most=5)
        else:
            assert wire.ask("GET", "/b/k", {"host": "x"}, most=5)[2] == body
        wire.close()
        thread.join()


def test_without_the_direct_way_boto3_stores_the_same(
    client: Any, bucket: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "large").write_bytes(os.urandom(s3_multipart.PART + 5))
    direct = export(root, S3(f"s3://{bucket}/direct"))
    monkeypatch.setattr(s3_put.Sender, "_answered", lambda *a, **k: None)
    by_boto = export(root, S3(f"s3://{bucket}/boto"))
    assert by_boto.manifest.files == direct.manifest.files
    for name in ("config.yaml", "large", "manifest.json"):
        told = [client.head_object(Bucket=bucket, Key=f"{p}/{name}") for p in ("direct", "boto")]
        assert told[0]["ContentType"] == told[1]["ContentType"]
        if name != "manifest.json":
            assert told[0]["Metadata"] == told[1]["Metadata"]
    again = export(root, S3(f"s3://{bucket}/boto"))
    assert again.skipped == 3


def test_an_etag_that_is_another_md5_is_an_error() -> None:
    expected, other = "0" * 32, "1" * 32
    assert not s3_put.contradicts({"etag": f'"{expected}"'}, expected)
    assert s3_put.contradicts({"etag": f'"{other}"'}, expected)
    for nothing_said in ("", '"not-an-md5"', f'"{"a" * 32}-3"'):
        assert not s3_put.contradicts({"etag": nothing_said}, expected)
    encrypted = {"etag": f'"{"a" * 32}"', "x-amz-server-side-encryption": "aws:kms"}
    assert not s3_put.contradicts(encrypted, expected)


def refused(root: Path, destination: S3, said: str) -> None:
    with pytest.raises(InfrastructureError, match=said) as caught:
        export(root, destination)
    assert "\n" not in caught.value.message
    assert caught.value.__cause__ is None


def test_a_bucket_that_is_not_there_is_said(s3: Server, root: Path) -> None:
    refused(root, S3("s3://no-such-bucket/run"), "no-such-bucket/run: there is no bucket of that")


def test_wrong_credentials_are_said(
    bucket: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-wrong-wrong")
    refused(root, S3(f"s3://{bucket}/run"), "the secret key does not belong to the access key")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "NOBODY")
    refused(root, S3(f"s3://{bucket}/run"), "the access key is not known")


def test_missing_credentials_are_said(
    bucket: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("HOME", str(tmp_path))
    refused(root, S3(f"s3://{bucket}/run"), "no credentials .* name a file in secrets.aws")


def test_a_file_of_credentials_wins_over_the_environment_and_is_masked(
    s3: Server, bucket: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / ".awscred"
    given.write_text(
        f"[default]\naws_access_key_id = {s3.access_key}\naws_secret_access_key = {s3.secret_key}\n"
    )
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "NOBODY")
    assert export(root, S3(f"s3://{bucket}/run", Access(given))).copied == 2
    assert masking.mask(f"it is {s3.secret_key}") == "it is ***"
    with pytest.raises(ConfigurationError, match="gone: no such file of credentials"):
        S3(f"s3://{bucket}/run", Access(tmp_path / "gone"))


def test_credentials_in_what_is_exported_are_refused(bucket: str, root: Path, s3: Server) -> None:
    (root / "leak.log").write_text(f"key: {s3.secret_key}\n")
    with pytest.raises(ExportRefused, match=r"leak.log:1: the secret AWS secret key"):
        export(root, S3(f"s3://{bucket}/run"))


def test_a_wrong_clock_is_said_with_its_error(
    bucket: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import botocore.auth

    def later(*args: Any, **more: Any) -> datetime:
        now = datetime.now(UTC) + timedelta(hours=2)
        return now if more.get("remove_tzinfo") is False else now.replace(tzinfo=None)

    with monkeypatch.context() as patch:
        patch.setattr(botocore.auth, "get_current_datetime", later)
        refused(root, S3(f"s3://{bucket}/run"), r"the clock of this machine is .* server's: set it")


def test_nobody_listening_is_said(bucket: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_client, "ATTEMPTS", 1)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
        refused(root, S3(f"s3://{bucket}/run"), "nobody answers: Could not connect")


class Cut:
    """A proxy that forwards some bytes to the server and then cuts every connection."""

    def __init__(self, server: Server) -> None:
        self._to = ("127.0.0.1", int(server.endpoint.rpartition(":")[2]))
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.left = 0
        self.endpoint = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.create_connection(self._to)
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self._forward, args=pair, daemon=True).start()

    def _forward(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while self.left > 0 and (data := one.recv(65536)):
                self.left -= len(data)
                other.sendall(data)
        except OSError:
            pass
        for end in (one, other):
            end.close()


@pytest.fixture
def cut(s3: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cut]:
    proxy = Cut(s3)
    monkeypatch.setattr(s3_client, "ATTEMPTS", 2)
    yield proxy
    proxy.close()


def test_a_connection_cut_in_the_middle_is_said_and_the_next_export_goes_on(
    cut: Cut, bucket: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        (root / "deep" / f"{number:02d}").write_bytes(os.urandom(100_000))
    cut.left = 2_000_000
    monkeypatch.setenv("AWS_ENDPOINT_URL", cut.endpoint)
    destination = S3(f"s3://{bucket}/run")
    with pytest.raises(InfrastructureError, match=r"of 42 files are in .* exporting again goes on"):
        export(root, destination)
    cut.left = 1 << 40
    resumed = export(root, S3(f"s3://{bucket}/run"))
    assert resumed.skipped > 0
    assert resumed.skipped + resumed.copied == 42


class TestLock:
    def lock(self, client: Any, bucket: str, **said: Any) -> None:
        body = json.dumps({"token": "other", **said}).encode()
        client.put_object(Bucket=bucket, Key="run/.topgallant-export/lock", Body=body)

    def test_of_a_process_on_another_host_is_respected(
        self, client: Any, bucket: str, root: Path
    ) -> None:
        self.lock(client, bucket, host="elsewhere", pid=1)
        refused(root, S3(f"s3://{bucket}/run"), r"process 1 on elsewhere\); if it was killed")

    def test_that_was_not_kept_fresh_is_taken_over(
        self, client: Any, bucket: str, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(s3_lock, "FRESH_SECONDS", -1)
        self.lock(client, bucket, host="elsewhere", pid=1)
        assert export(root, S3(f"s3://{bucket}/run")).copied == 2

    def test_that_is_no_lock_is_respected_until_it_is_old(
        self, client: Any, bucket: str, root: Path
    ) -> None:
        client.put_object(Bucket=bucket, Key="run/.topgallant-export/lock", Body=b"\xff[")
        refused(root, S3(f"s3://{bucket}/run"), "another export to it is on")

    def test_that_was_lost_keeps_the_manifest_from_being_written(
        self, client: Any, bucket: str
    ) -> None:
        destination = S3(f"s3://{bucket}/run")
        with destination.reserve():
            self.lock(client, bucket, host="elsewhere", pid=1)
            with pytest.raises(InfrastructureError, match="another export to it is on"):
                destination.finish(manifests.build("run", datetime.now(UTC), []))
        assert "run/manifest.json" not in keys(client, bucket)
        assert "run/.topgallant-export/lock" in keys(client, bucket)

    def test_is_written_again_while_it_is_held(
        self, client: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written = threading.Event()
        monkeypatch.setattr(s3_lock, "BEAT_SECONDS", 0.01)
        write = s3_lock.Lock._write

        def writing(self: s3_lock.Lock, **condition: str) -> bool:
            if not condition:
                written.set()
            return write(self, **condition)

        monkeypatch.setattr(s3_lock.Lock, "_write", writing)
        with S3(f"s3://{bucket}/run").reserve():
            assert written.wait(30)

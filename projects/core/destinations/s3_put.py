"""Objects stored and asked for by requests signed here, at a fraction of what boto3's calls cost.

A call of boto3 takes a millisecond of one processor, whatever the size; with thousands of small
files that, and not the server, is the limit. Here the request is signed and sent directly. What is
not answered with "done" goes to boto3 again, which knows redirects, retries and errors.
"""

from __future__ import annotations

import contextlib
import hmac
import re
import time
import weakref
from datetime import UTC, datetime
from hashlib import md5, sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from urllib.parse import quote, urlsplit

from projects.core.destinations.s3_client import (
    error_code,
    explained,
)
from projects.core.destinations.s3_wire import Piece, Unexpected, Wire
from projects.core.errors import InfrastructureError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from urllib.parse import SplitResult

    from projects.core.destinations.s3_client import Connection

OK = 200
_EMPTY = sha256().hexdigest()
_SIGNED = "AWS4-HMAC-SHA256"
_MD5 = re.compile(r"[0-9a-f]{32}")

Answer: TypeAlias = tuple[int, dict[str, str], bytes]
"""Status, headers by names in lower case, body."""


class _Request(NamedTuple):
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | Piece
    most: int


class Sender:
    """Stores objects and parts of objects in a bucket; called from several threads at once.

    `close` closes the connections that are kept; nothing may be under way then or be asked later.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._bucket = connection.place.bucket
        self._url = urlsplit(_bucket_url(connection))
        self._proxied = _is_proxied(self._url)
        self._idle: list[Wire] = []
        self._tls: ssl.SSLContext | None = None
        self.close = weakref.finalize(self, _close_all, self._idle)
        self._second = (0, "")
        self._keys: dict[tuple[str, str], bytes] = {}

    def put(self, key: str, body: bytes, digest: str, headers: Mapping[str, str]) -> None:
        """Store `body`, whose sha256 is `digest`, with headers in lower case.

        The signature covers `digest`: the server refuses a body that has another one. The ETag,
        which most servers make the MD5 of what they have stored, is compared as well.
        """
        told = self._directly("PUT", key, "", body, digest=digest, headers=headers)
        if told is None:
            with explained(f"s3://{self._bucket}/{key}"):
                answer = self._connection.client.put_object(
                    Bucket=self._bucket, Key=key, Body=body, **as_arguments(headers)
                )
            told = answer["ResponseMetadata"]["HTTPHeaders"]
        if contradicts(told, md5(body, usedforsecurity=False).hexdigest()):
            raise InfrastructureError(
                f"s3://{self._bucket}/{key}: what the server has stored is not what was sent"
            )

    def put_part(self, key: str, upload: str, number: int, piece: Piece, digest: str) -> str:
        """Store one part of an upload that was begun, and return its ETag.

        It is not read here: the server compares it with `digest`, its sha256. Empty if it differs.
        """
        query = f"partNumber={number}&uploadId={quote(upload, safe='-_.~')}"
        told = self._directly("PUT", key, query, piece, digest=digest)
        if told is not None:
            return str(told["etag"])
        body = piece.content()
        if sha256(body).hexdigest() != digest:
            return ""
        with explained(f"s3://{self._bucket}/{key}"):
            answer = self._connection.client.upload_part(
                Bucket=self._bucket, Key=key, UploadId=upload, PartNumber=number, Body=body
            )
        return str(answer["ETag"])

    def head(self, key: str) -> Mapping[str, str] | None:
        """Return the headers of an object, by names in lower case; None if there is none."""
        from botocore.exceptions import ClientError

        told = self._directly("HEAD", key)
        if told is None:
            with explained(f"s3://{self._bucket}/{key}"):
                try:
                    answer = self._connection.client.head_object(Bucket=self._bucket, Key=key)
                except ClientError as error:
                    if error_code(error) in {"404", "NoSuchKey"}:
                        return None
                    raise
            told = answer["ResponseMetadata"]["HTTPHeaders"]
        return told

    def get(self, key: str, most: int) -> tuple[bytes, Mapping[str, str]] | None:
        """Return content and headers of an object of at most `most` bytes; None: ask boto3."""
        answer = self._answered("GET", key, "", most=most)
        if answer is None or "etag" not in answer[0]:
            return None
        return answer[1], answer[0]

    def list_page(self, query: Mapping[str, str], most: int) -> bytes | None:
        """Return a page of the bucket's list, as XML, of at most `most` bytes; None: ask boto3."""
        asked = "&".join(f"{name}={quote(query[name], safe='-_.~')}" for name in sorted(query))
        answer = self._answered("GET", "", asked, most=most)
        return None if answer is None else answer[1]

    def _directly(
        self,
        method: str,
        key: str,
        query: str = "",
        body: bytes | Piece = b"",
        *,
        digest: str = _EMPTY,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Mapping[str, str] | None:
        """Return the headers of the answer "done" about an object, None for any other."""
        answer = self._answered(method, key, query, body, digest=digest, headers=headers)
        return answer[0] if answer is not None and "etag" in answer[0] else None

    def _answered(
        self,
        method: str,
        key: str,
        query: str,
        body: bytes | Piece = b"",
        *,
        digest: str = _EMPTY,
        headers: Mapping[str, str] = MappingProxyType({}),
        most: int = 0,
    ) -> tuple[Mapping[str, str], bytes] | None:
        """Return headers and body of the answer "done", None for any other and for none."""
        credentials = self._connection.credentials()
        if credentials is None or self._proxied:
            return None
        path = f"{self._url.path}/{quote(key, safe='/~')}"
        signed = self._signed(f"{method}\n{path}\n{query}", digest, headers, credentials)
        request = _Request(method, f"{path}?{query}" if query else path, signed, body, most)
        try:
            status, told, answer = self._ask(request)
        except (OSError, Unexpected):
            return None
        return (told, answer) if status == OK else None

    def _ask(self, request: _Request) -> Answer:
        """Ask over an idle connection; if the server has closed that meanwhile, over a new one."""
        try:
            wire = self._idle.pop()
        except IndexError:
            wire = self._connect()
        else:
            with contextlib.suppress(OSError, Unexpected):
                return self._ask_over(wire, request)
            wire = self._connect()
        return self._ask_over(wire, request)

    def _ask_over(self, wire: Wire, request: _Request) -> Answer:
        try:
            answer = wire.ask(*request)
        except BaseException:
            wire.close()
            raise
        self._idle.append(wire)
        return answer

    def _connect(self) -> Wire:
        import ssl

        host = self._url.hostname or ""
        if self._url.scheme == "http":
            return Wire(host, self._url.port or 80, None)
        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=self._connection.certificates)
        return Wire(host, self._url.port or 443, self._tls)

    def _signed(
        self, request: str, digest: str, headers: Mapping[str, str], credentials: Any
    ) -> dict[str, str]:
        """Return the headers with a signature (Amazon S3 API, "Signature Version 4")."""
        now = self._now()
        sent = {"host": self._url.netloc, "x-amz-content-sha256": digest, "x-amz-date": now}
        sent |= headers
        if credentials.token:
            sent["x-amz-security-token"] = credentials.token
        sent = dict(sorted(sent.items()))
        names = ";".join(sent)
        lines = "".join(f"{name}:{value}\n" for name, value in sent.items())
        request = f"{request}\n{lines}\n{names}\n{digest}"
        scope = f"{now[:8]}/{self._connection.region}/s3/aws4_request"
        to_sign = f"{_SIGNED}\n{now}\n{scope}\n{sha256(request.encode()).hexdigest()}"
        key = self._signing_key(credentials.secret_key, now[:8])
        signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
        sent["authorization"] = (
            f"{_SIGNED} Credential={credentials.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return sent

    def _now(self) -> str:
        """Return the time as signatures write it; it is written once a second."""
        second = int(time.time())
        if self._second[0] != second:
            self._second = (second, datetime.fromtimestamp(second, UTC).strftime("%Y%m%dT%H%M%SZ"))
        return self._second[1]

    def _signing_key(self, secret_key: str, day: str) -> bytes:
        found = self._keys.get((secret_key, day))
        if found is None:
            found = f"AWS4{secret_key}".encode()
            for part in (day, self._connection.region, "s3", "aws4_request"):
                found = hmac.digest(found, part.encode(), "sha256")
            self._keys = {(secret_key, day): found}
        return found


def as_arguments(headers: Mapping[str, str]) -> dict[str, Any]:
    """Return the headers of an object as boto3 names them."""
    prefix = "x-amz-meta-"
    metadata = {n.removeprefix(prefix): v for n, v in headers.items() if n.startswith(prefix)}
    return {"ContentType": headers["content-type"], "Metadata": metadata}


def contradicts(answer: Mapping[str, str], md5_of_body: str) -> bool:
    """Tell whether the ETag of an answer is an MD5 and not the one that was expected.

    It is none where the server encrypts with keys of others (Amazon S3 API, "Object": ETag).
    """
    etag = answer.get("etag", "").strip('"')
    encrypted = answer.get("x-amz-server-side-encryption", "AES256") != "AES256" or any(
        name.lower().startswith("x-amz-server-side-encryption-customer") for name in answer
    )
    return bool(_MD5.fullmatch(etag)) and not encrypted and etag != md5_of_body


def _bucket_url(connection: Connection) -> str:
    """Return the address of the bucket as boto3 makes it."""
    parameters = {"Bucket": connection.place.bucket, "Key": "x"}
    with explained(str(connection.place)):
        url: str = connection.client.generate_presigned_url("get_object", Params=parameters)
    return url.partition("?")[0].removesuffix("/x")


def _close_all(wires: list[Wire]) -> None:
    while wires:
        wires.pop().close()


def _is_proxied(url: SplitResult) -> bool:
    """Tell whether a proxy is between, which is for boto3."""
    from urllib.request import getproxies, proxy_bypass

    return bool(getproxies().get(url.scheme)) and not proxy_bypass(url.netloc)

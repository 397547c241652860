"""The connection to S3: credentials, endpoint, bucket, and what its errors mean for people."""

from __future__ import annotations

import contextlib
import logging
import os
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from projects.core.destinations import s3_keys
from projects.core.errors import ConfigurationError, InfrastructureError
from projects.core.secrets.masking import mask, register

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from botocore.client import BaseClient

    from projects.core.destinations.s3_keys import Place

ATTEMPTS = 5
CONNECT_SECONDS, READ_SECONDS = 10, 60
_DEFAULT_REGION = "us-east-1"

_MEANINGS = {
    "NoSuchBucket": "there is no bucket of that name",
    "InvalidAccessKeyId": "the access key is not known there",
    "SignatureDoesNotMatch": "the secret key does not belong to the access key",
    "ExpiredToken": "the session token has expired",
    "InvalidToken": "the session token is not valid",
    "AccessDenied": "the credentials have no right to do this",
    "EntityTooLarge": "the file is larger than the server takes",
    "KeyTooLongError": "the path is longer than a key may be",
    "InvalidObjectName": "the path is longer than a key may be, or not a valid one",
    "NoSuchUpload": "the upload was aborted by someone else",
    "QuotaExceeded": "the quota is used up",
    "SlowDown": "the server asks to slow down",
}


@dataclass(frozen=True, slots=True)
class Access:
    """How to get to S3: a file with credentials and an endpoint, each None for the usual chain.

    The usual chain is that of boto3: environment, `~/.aws`, the role of the machine;
    `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, else Amazon. With `anonymous` a lack of credentials
    is no error: public buckets need none.
    """

    credentials_file: Path | None = None
    endpoint: str | None = None
    anonymous: bool = False


class Connection:
    """A boto3 client for one bucket, with as many connections as there are workers.

    Public attributes: `client`, `endpoint` (its address), `region`, `certificates` (a file).
    """

    def __init__(self, place: Place, access: Access, workers: int) -> None:
        self.place = place
        self._access = access
        self._workers = workers
        self._core, self._session = _session(access)
        self.region = self._session.region_name or _DEFAULT_REGION
        with explained(str(place)):
            self.client: Any = self._make()
        self.endpoint: str = self.client.meta.endpoint_url

    @property
    def certificates(self) -> str:
        """The file with the certificates that are trusted: `AWS_CA_BUNDLE` or what boto3 brings."""
        from botocore.httpsession import where

        return str(self._core.get_config_variable("ca_bundle") or where())

    def credentials(self) -> Any:
        """Return the credentials to sign with now, refreshed if they were about to expire."""
        found = self._session.get_credentials()
        return None if found is None else found.get_frozen_credentials()

    def _make(self) -> BaseClient:
        from botocore import UNSIGNED
        from botocore.config import Config

        given = self._access.endpoint
        settings = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            max_pool_connections=self._workers + 2,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            request_checksum_calculation="when_required",  # others than Amazon know only these
            response_checksum_validation="when_required",
            tcp_keepalive=True,
        )
        if self._access.anonymous and self.credentials() is None:
            settings = settings.merge(Config(signature_version=UNSIGNED))
        client = self._session.client(
            "s3", endpoint_url=given, region_name=self.region, config=settings
        )
        if not s3_keys.is_amazon(client.meta.endpoint_url):
            # The bucket as part of the host name needs a wildcard in DNS.
            client = self._session.client(
                "s3",
                endpoint_url=given,
                region_name=self.region,
                config=settings.merge(Config(s3={"addressing_style": "path"})),
            )
        made: BaseClient = client
        return made

    def check(self) -> None:
        """Ask for the bucket once: it is there, we may list it, and which region it is in.

        Errors
        ------
        InfrastructureError
            No such bucket, no or wrong credentials, a wrong clock, nobody listens.
        """
        with explained(str(self.place)):
            answer = self.client.list_objects_v2(
                Bucket=self.place.bucket, Prefix=self.place.folder, MaxKeys=1
            )
            headers = answer["ResponseMetadata"]["HTTPHeaders"]
            region = headers.get("x-amz-bucket-region", self.region)
            if region != self.region:
                self.region = region
                self.client = self._make()


def _session(access: Access) -> tuple[Any, Any]:
    import boto3
    import botocore.session

    # It tells at INFO, in words for its developers, where it has found what everybody has set up.
    logging.getLogger("botocore").setLevel(logging.WARNING)
    core = botocore.session.Session()
    if access.credentials_file is not None:
        if not access.credentials_file.is_file():
            raise ConfigurationError(f"{access.credentials_file}: no such file of credentials")
        core.set_config_variable("credentials_file", str(access.credentials_file))
        # A file that is named wins over keys that happen to be in the environment.
        profile = os.environ.get("AWS_PROFILE", "default")
        core.get_component("credential_provider").remove("env")
        core.set_config_variable("profile", profile)
    with explained(f"credentials in {access.credentials_file or 'the environment'}"):
        session = boto3.Session(botocore_session=core)
        credentials = session.get_credentials()
    if credentials is not None:
        frozen = credentials.get_frozen_credentials()
        register(frozen.secret_key, "AWS secret key")
        if frozen.token:
            register(frozen.token, "AWS session token")
    return core, session


@contextlib.contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn the errors of boto3 and of the network into one sentence about `what`."""
    from botocore import exceptions as aws
    from urllib3.exceptions import HTTPError

    try:
        yield
    except aws.ClientError as error:
        raise InfrastructureError(f"{what}: {_said_by_server(error.response)}") from None
    except (aws.NoCredentialsError, aws.PartialCredentialsError) as error:
        raise InfrastructureError(
            f"{what}: no credentials ({mask(str(error))}); name a file in secrets.aws_credentials, "
            "or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SHARED_CREDENTIALS_FILE"
        ) from None
    except (aws.EndpointConnectionError, aws.ConnectTimeoutError) as error:
        raise InfrastructureError(f"{what}: nobody answers: {mask(str(error))}") from None
    except (aws.HTTPClientError, HTTPError, ConnectionError, TimeoutError) as error:
        raise InfrastructureError(f"{what}: the connection broke: {mask(str(error))}") from None
    except aws.BotoCoreError as error:
        raise InfrastructureError(f"{what}: {mask(str(error))}") from None


def error_code(error: Any) -> str:
    """Return the code of a ClientError; for answers without a body, the HTTP status as text."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _said_by_server(response: Mapping[str, Any]) -> str:
    code = str(response.get("Error", {}).get("Code", ""))
    metadata = response.get("ResponseMetadata", {})
    if code == "RequestTimeTooSkewed":
        return f"the clock of this machine is {_skew(metadata)}: set it and export again"
    said = response.get("Error", {}).get("Message")
    meaning = _MEANINGS.get(code) or mask(str(said or "")) or "the server refuses"
    return f"{meaning} ({code or 'no code'}, HTTP status {metadata.get('HTTPStatusCode')})"


def _skew(metadata: Mapping[str, Any]) -> str:
    from datetime import UTC, datetime

    try:
        server = parsedate_to_datetime(metadata["HTTPHeaders"]["date"])
    except (KeyError, TypeError, ValueError):
        return "wrong"
    seconds = (datetime.now(UTC) - server).total_seconds()
    way = "ahead of" if seconds > 0 else "behind"
    return f"{abs(seconds):.0f} s {way} the server's"

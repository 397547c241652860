"""HTTP with TLS verified, bounded answers, and retries where the server asks for patience."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projects.core.errors import InfrastructureError
from projects.core.processes import cancellation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

ATTEMPTS = 5
FIRST_DELAY = 0.5
"""Seconds before the second attempt; each further wait is twice as long."""

TIMEOUT = 60.0
"""Seconds for one answer."""

LARGEST = 256 * 1024**2
"""Bytes; a longer answer is refused."""

_PATIENCE = frozenset((429, 502, 503, 504))


class Server:
    """One HTTP server at `base`; `what` is how messages name it.

    The certificate is verified against the system's authorities, or `ca_file`. Requests that reach
    nobody, or are answered by "too many" or "not now", are sent again, so they must not do harm
    twice.
    """

    def __init__(
        self,
        what: str,
        base: str,
        *,
        auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        ca_file: str | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = cancellation.sleep,
    ) -> None:
        import ssl

        import httpx

        self.what = f"{what} {base}"
        self._sleep = sleep
        self._client = httpx.Client(
            base_url=base,
            auth=auth,
            headers=dict(headers or {}),
            timeout=TIMEOUT,
            verify=ssl.create_default_context(cafile=ca_file),
            transport=transport,
            trust_env=False,  # neither a proxy nor a .netrc of somebody else
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        accept: frozenset[int] = frozenset(),
    ) -> tuple[int, Any]:
        """Return status and JSON body of an answer that is 2xx, or one of `accept`.

        Errors
        ------
        InfrastructureError
            Nobody answers, the answer is another one, too long, or no JSON.
        """
        request = self._client.build_request(
            method,
            path,
            params=dict(params or {}),
            json=json,
            content=content,
            headers=dict(headers or {}),
        )
        said = f"{self.what}: {method} {path}"
        status, body = self._send(request, said)
        if status // 100 != 2 and status not in accept:  # noqa: PLR2004 - 2xx is success
            hint = {401: ": wrong credentials", 403: ": not allowed"}.get(status, "")
            text = body[:500].decode(errors="replace")
            raise InfrastructureError(f"{said}: status {status}{hint}: {text}")
        return status, _read(body, said) if status // 100 == 2 else None  # noqa: PLR2004

    def _send(self, request: httpx.Request, said: str) -> tuple[int, bytes]:
        import httpx

        delay = FIRST_DELAY
        for attempt in range(1, ATTEMPTS + 1):
            try:
                status, body = self._once(request, said)
                if status not in _PATIENCE or attempt == ATTEMPTS:
                    return status, body
            except httpx.TransportError as error:
                if attempt == ATTEMPTS or "CERTIFICATE_VERIFY_FAILED" in str(error):
                    why = str(error) or type(error).__name__
                    raise InfrastructureError(f"{said}: {why}") from error
            self._sleep(delay)
            delay *= 2
        raise AssertionError("the last attempt returns or raises")

    def _once(self, request: httpx.Request, said: str) -> tuple[int, bytes]:
        response = self._client.send(request, stream=True)
        try:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LARGEST:
                    raise InfrastructureError(f"{said}: an answer of more than {LARGEST} bytes")
            return response.status_code, bytes(body)
        finally:
            response.close()


def _read(body: bytes, said: str) -> Any:
    import json

    if not body.strip():
        return None
    try:
        return json.loads(body)
    except ValueError:
        text = body[:200].decode(errors="replace")
        raise InfrastructureError(f"{said}: the answer is no JSON: {text}") from None

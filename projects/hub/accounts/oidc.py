"""Logging in through an OpenID Connect provider: authorization code with PKCE.

https://openid.net/specs/openid-connect-core-1_0.html, RFC 7636. The ID token comes straight from
the provider over TLS, so its signature needn't be checked (§3.1.3.7, 6); its claims are.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from projects.core.errors import ConfigurationError, InfrastructureError
from projects.core.secrets.secret import Secret
from projects.jobs.http.refusals import Unauthorized
from projects.jobs.model import moment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE = "oidc.json"
"""In the data directory: an object with what `Provider` has."""

LEEWAY = 60
"""Seconds by which the provider's clock may differ."""

_TIMEOUT = 10.0
_MOST = 1 << 20
_OK = 200
_KEYS = {"issuer": str, "client_id": str, "client_secret": str, "public_url": str, "register": bool}


@dataclass(frozen=True, slots=True)
class Provider:
    """What is set; `register`: whoever the provider knows becomes a user."""

    issuer: str
    client_id: str
    client_secret: str = ""
    public_url: str = ""
    register: bool = True


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a browser keeps while it is at the provider."""

    state: str
    nonce: str
    verifier: str
    onward: str

    def text(self) -> str:
        """Return it as a cookie holds it."""
        plain = json.dumps([self.state, self.nonce, self.verifier, self.onward])
        return base64.urlsafe_b64encode(plain.encode()).decode()

    @classmethod
    def read(cls, text: str) -> Attempt | None:
        """Return what a cookie holds; None: nothing of ours."""
        try:
            values = json.loads(base64.urlsafe_b64decode(text.encode()))
        except (ValueError, binascii.Error):
            return None
        wanted = 4
        if not isinstance(values, list) or len(values) != wanted:
            return None
        return cls(*map(str, values))


def read_provider(path: Path) -> Provider | None:
    """Return what a file sets; None where there is none.

    Raises
    ------
    ConfigurationError
        It isn't what `FILE` says, or names a provider without TLS.
    """
    try:
        values = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path}: {error}") from None
    if not isinstance(values, dict):
        raise ConfigurationError(f"{path}: an object is wanted")
    for key, value in values.items():
        if not isinstance(value, _KEYS.get(key, ())):
            raise ConfigurationError(f"{path}: {key!r} is wrong; possible: {', '.join(_KEYS)}")
    if not values.get("issuer") or not values.get("client_id"):
        raise ConfigurationError(f"{path}: issuer and client_id are needed")
    if values.get("client_secret"):
        values["client_secret"] = Secret(values["client_secret"], "OIDC client secret")
    provider = Provider(**values)
    _check_address(provider.issuer, str(path))
    return provider


class Client:
    """Talks with the provider."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._endpoints: Mapping[str, Any] | None = None

    async def begin(self, back: str, onward: str) -> tuple[str, Attempt]:
        """Return where the browser goes, and what it keeps; it comes back to `back`.

        Raises
        ------
        InfrastructureError
            The provider doesn't answer, or not as one does.
        """
        endpoints = await self._discover()
        attempt = Attempt(_random(), _random(), _random(), onward)
        challenge = hashlib.sha256(attempt.verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.provider.client_id,
            "redirect_uri": back,
            "scope": "openid profile email",
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        address = endpoints["authorization_endpoint"]
        return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}", attempt

    async def finish(self, attempt: Attempt, state: str, code: str, back: str) -> dict[str, Any]:
        """Return the claims of who came back with a code.

        Raises
        ------
        Unauthorized
            The code isn't for this browser, or the provider doesn't vouch for them.
        InfrastructureError
            The provider doesn't answer, or not as one does.
        """
        if not code or not hmac.compare_digest(state.encode(), attempt.state.encode()):
            raise Unauthorized("this log-in was begun elsewhere, or long ago: begin anew")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "client_id": self.provider.client_id,
            "code_verifier": attempt.verifier,
        }
        secret = str(self.provider.client_secret)
        auth = (self.provider.client_id, secret) if secret else None
        endpoint = (await self._discover())["token_endpoint"]
        answer = await self._ask("POST", endpoint, data=form, auth=auth)
        if "id_token" not in answer:
            raise Unauthorized("the provider doesn't vouch for you: begin anew")
        return self._checked(_payload(str(answer["id_token"])), attempt)

    def _checked(self, claims: Mapping[str, Any], attempt: Attempt) -> dict[str, Any]:
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        now = moment.now() / moment.SECOND
        expires = claims.get("exp")
        good = (
            claims.get("iss") == self.provider.issuer
            and self.provider.client_id in audiences
            and claims.get("azp", self.provider.client_id) == self.provider.client_id
            and isinstance(expires, (int, float))
            and now < expires + LEEWAY
            and hmac.compare_digest(str(claims.get("nonce")).encode(), attempt.nonce.encode())
            and isinstance(claims.get("sub"), str)
            and claims["sub"] != ""
        )
        if not good:
            raise Unauthorized("what the provider says is not for this log-in: begin anew")
        return dict(claims)

    async def _discover(self) -> Mapping[str, Any]:
        if self._endpoints is None:
            address = self.provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
            found = await self._ask("GET", address)
            if found.get("issuer") != self.provider.issuer:
                raise InfrastructureError(f"{address} speaks for {found.get('issuer')!r}")
            for name in ("authorization_endpoint", "token_endpoint"):
                _check_address(str(found.get(name)), address)
            self._endpoints = found
        return self._endpoints

    async def _ask(self, method: str, address: str, **more: Any) -> dict[str, Any]:
        import httpx

        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT) as http:
                answer = await http.request(method, address, **more)
            value = answer.json() if len(answer.content) <= _MOST else None
        except (httpx.HTTPError, ValueError) as error:
            raise InfrastructureError(f"{address} doesn't answer as a provider: {error}") from None
        if not isinstance(value, dict):
            raise InfrastructureError(f"{address} doesn't answer as a provider")
        return value if answer.status_code == _OK else {}


def _random() -> str:
    return secrets.token_urlsafe(32)


def _payload(token: str) -> Mapping[str, Any]:
    """Return the claims in a JSON Web Token."""
    try:
        _, middle, _ = token.split(".")
        value = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (ValueError, binascii.Error):
        value = None
    if not isinstance(value, dict):
        raise Unauthorized("the provider's ID token is none: begin anew")
    return value


def _check_address(address: str, where: str) -> None:
    """Refuse an address without TLS: whoever is in between could say who somebody is."""
    from projects.jobs.http.gate import is_loopback

    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        return
    raise ConfigurationError(f"{where}: {address!r} is no https address")

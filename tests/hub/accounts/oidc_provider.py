"""A small OpenID Connect provider: one user, who always says yes; it checks what it is sent."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

CLIENT, SECRET = "topgallant", "provider's secret"


class OneProvider(ThreadingHTTPServer):
    """Listens; `claims` are what its ID tokens add or change."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.codes: dict[str, dict[str, str]] = {}
        self.claims: dict[str, Any] = {
            "sub": "42",
            "preferred_username": "Ann.Lee",
            "name": "Ann Lee",
            "email": "ann@example.org",
            "email_verified": True,
        }


class _Handler(BaseHTTPRequestHandler):
    server: OneProvider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/.well-known/openid-configuration":
            issuer = self.server.issuer
            self._answer(
                {
                    "issuer": issuer,
                    "authorization_endpoint": f"{issuer}/authorize",
                    "token_endpoint": f"{issuer}/token",
                }
            )
        elif parts.path == "/authorize" and self._is_good(query):
            code = secrets.token_urlsafe(16)
            self.server.codes[code] = query
            back = urlencode({"code": code, "state": query["state"]})
            self.send_response(302)
            self.send_header("Location", f"{query['redirect_uri']}?{back}")
            self.end_headers()
        else:
            self._answer({"error": "invalid_request"}, 400)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        asked = self.server.codes.pop(form.get("code", ""), None)
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        said = base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
        if (
            asked is None
            or self.headers.get("Authorization") != f"Basic {basic}"
            or form["redirect_uri"] != asked["redirect_uri"]
            or said != asked["code_challenge"]
        ):
            self._answer({"error": "invalid_grant"}, 400)
            return
        claims = {
            "iss": self.server.issuer,
            "aud": CLIENT,
            "exp": int(time.time()) + 300,
            "nonce": asked["nonce"],
        } | self.server.claims
        parts = (json.dumps(part).encode() for part in ({"alg": "none"}, claims))
        token = ".".join(base64.urlsafe_b64encode(p).rstrip(b"=").decode() for p in parts)
        self._answer({"access_token": "x", "token_type": "Bearer", "id_token": f"{token}.x"})

    def log_message(self, *_: Any) -> None: ...

    def _is_good(self, query: dict[str, str]) -> bool:
        return (
            query.get("client_id") == CLIENT
            and query.get("response_type") == "code"
            and query.get("code_challenge_method") == "S256"
            and "openid" in query.get("scope", "").split()
        )

    def _answer(self, value: Any, status: int = 200) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextlib.contextmanager
def provider() -> Iterator[OneProvider]:
    """Serve a provider."""
    with OneProvider() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()

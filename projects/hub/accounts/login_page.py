"""`/login` in its plainest form: a form for a name and a password, or a button for a link.

The link is taken by the button, not by looking: programs that look at links don't use them up.
"""

from __future__ import annotations

from html import escape, unescape
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from projects.hub.accounts.login_routes import local_path

router = APIRouter(include_in_schema=False)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none';"
    " frame-src 'self'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    # `no-referrer` would make browsers send `Origin: null` with forms.
    "Referrer-Policy": "same-origin",
}
"""Of every page of the hub."""

_SAID = {
    "password": "The name or the password is wrong.",
    "link": "This link was used already, or is too old: ask for a new one.",
    "provider": "The provider didn't vouch for you: try again.",
    "unknown": "You are not a user of this hub: ask an admin.",
    "wait": "Too many log-ins failed: wait a little.",
}
_NAME_FIELDS = """<p><label>Name <input name=name autocomplete=username autofocus required></label>
<p><label>Password <input name=password type=password autocomplete=current-password required>
</label>"""


@router.get("/login", response_class=Response)
async def login_page(request: Request) -> Response:
    """Show how to log in."""
    query = request.query_params
    link = query.get("link", "")
    said = _SAID.get(query.get("failed", ""), "")
    onward = escape(local_path(query.get("next", "")))
    fields = f'<input type=hidden name=link value="{escape(link)}">' if link else _NAME_FIELDS
    text = (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width'><title>Log in · Topgallant</title>"
        f"<main><h1>Topgallant</h1><p role=alert>{said}</p>"
        f'<form method=post action="/api/v1/login"><input type=hidden name=next value="{onward}">'
        f"{fields}<p><button>Log in</button></form>{_other_way(request, onward)}</main></html>"
    )
    return Response(text, headers=HEADERS, media_type="text/html; charset=utf-8")


def _other_way(request: Request, onward: str) -> str:
    """Return the link to the OpenID Connect provider, where one is set."""
    if not hasattr(request.app.state, "oidc"):
        return ""
    where = escape(f"/login/oidc?{urlencode({'next': unescape(onward)})}")
    return f'<p><a href="{where}">Log in with your organisation</a>'

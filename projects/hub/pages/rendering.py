"""Pages: templates, what all of them show, and the policy under which browsers run them."""

from __future__ import annotations

import functools
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse

from projects.hub.pages import static_files, words
from projects.hub.tables import names
from projects.jobs.model import moment

if TYPE_CHECKING:
    from fastapi import Request
    from jinja2 import Environment

    from projects.jobs.http.access import Principal

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none';"
    " frame-src 'self'"
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    # `no-referrer` would make browsers send `Origin: null` with forms.
    "Referrer-Policy": "same-origin",
    "Vary": "Cookie, HX-Request",
}

NAVIGATION = (
    ("overview", "/", "Overview"),
    ("jobs", "/jobs", "Jobs"),
    ("submissions", "/submissions", "Submissions"),
    ("satellites", "/satellites", "Satellites"),
    ("tables", "/tables", "Tables"),
    ("artifacts", "/artifacts", "Artifacts"),
    ("projects", "/projects", "Projects"),
)


@functools.cache
def environment() -> Environment:
    """Return the templates, with the words that they use."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    for name in ("duration", "size", "number", "value", "parameters", "label", "kind"):
        made.filters[name] = getattr(words, name)
    made.filters["shell_word"] = shlex.quote
    for name in ("phase_kind", "phase_label", "queued", "breakable", "measured", "brief"):
        made.filters[name] = getattr(words, name)
    made.globals["static"] = static_files.address
    made.globals["navigation"] = NAVIGATION
    made.globals["table_address"] = names.address
    return made


def page(
    request: Request,
    template: str,
    who: Principal | None,
    *,
    status: int = 200,
    **context: Any,
) -> HTMLResponse:
    """Return a page; only its content when a script of ours asks for it (`HX-Request`)."""
    now = moment.now()
    part = request.headers.get("hx-request") == "true"
    values = {
        "layout": "part.html" if part else "base.html",
        "who": who,
        "csrf": who.csrf if who else "",
        "now": now,
        "ago": functools.partial(words.relative, now=now),
        "took": functools.partial(words.took, now=now),
        "here": request.url.path,
        "address": str(request.url.path) + (f"?{request.url.query}" if request.url.query else ""),
        "section": "",
        "crumbs": (),
        "base": "",
        "site": None,
        "hub": str(request.base_url).rstrip("/"),
        "version": request.app.version,
        **context,
    }
    text = environment().get_template(template).render(values)
    # Bytes of names that are no UTF-8 come as lone surrogates, which no page can hold.
    return HTMLResponse(text.encode("utf-8", "replace"), status, headers=HEADERS)

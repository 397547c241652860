"""The description of the routes as one page: no scripts, nothing loaded from anywhere."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
summary { cursor: pointer; padding: .3rem 0; }
summary code { font-size: 1rem; }
.method { display: inline-block; width: 4.5rem; font-weight: 600; }
table { border-collapse: collapse; margin: .3rem 0 .8rem 1rem; }
td, th { text-align: left; vertical-align: top; padding: .15rem .8rem .15rem 0; }
td:first-child { font-family: ui-monospace, monospace; }
h3 { font-size: 1rem; margin: .5rem 0 0 1rem; }
p { margin: .3rem 0 .3rem 1rem; }
"""


def page(api: Mapping[str, Any]) -> str:
    """Return the page for an OpenAPI description."""
    info = api["info"]
    groups: dict[str, list[str]] = {}
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            group = operation.get("tags", ["other"])[0]
            groups.setdefault(group, []).append(_operation(api, path, method, operation))
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width'>",
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style>",
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>",
        "<p>Every call but /healthz and /readyz needs the header",
        " <code>Authorization: Bearer TOKEN</code>.",
        " For programs: <a href=/openapi.json>openapi.json</a>.</p>",
    ]
    for group, operations in groups.items():
        parts += [f"<h2>{escape(group)}</h2>", *operations]
    return "".join(parts)


def _operation(api: Mapping[str, Any], path: str, method: str, operation: Any) -> str:
    said = escape(operation.get("description") or operation.get("summary", ""))
    parts = [
        f"<details><summary><span class=method>{method.upper()}</span>",
        f"<code>{escape(path)}</code></summary><p>{said}</p>",
    ]
    rows = [
        (p["name"], _kind(p.get("schema", {})), p.get("description", ""))
        for p in operation.get("parameters", ())
    ]
    parts += _table("parameters", rows)
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body:
        parts += _table("body", _fields(api, body["schema"]))
    for status, response in operation.get("responses", {}).items():
        if not status.startswith("2"):
            continue
        for media, content in response.get("content", {}).items():
            rows = list(_fields(api, content.get("schema", {})))
            parts += _table(f"{status} {media}", rows or [("", "", response["description"])])
    return "".join([*parts, "</details>"])


def _table(title: str, rows: Any) -> Iterator[str]:
    rows = list(rows)
    if rows:
        yield f"<h3>{escape(title)}</h3><table>"
        for row in rows:
            yield "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>"
        yield "</table>"


def _fields(api: Mapping[str, Any], schema: Any) -> Iterator[tuple[str, str, str]]:
    schema = _resolved(api, schema)
    for name, field in schema.get("properties", {}).items():
        yield name, _kind(field), field.get("description", "")
        items = field.get("items", {})
        inner = _resolved(api, items) if isinstance(items, dict) else {}
        for below, each in inner.get("properties", {}).items():
            yield f"{name}[].{below}", _kind(each), each.get("description", "")


def _resolved(api: Mapping[str, Any], schema: Any) -> Any:
    if "$ref" in schema:
        return api["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _kind(schema: Any) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(each) for each in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return kind

"""Stubs of OpenSearch and Horreum: exactly the calls that the histories make, others refused.

Neither server can be had for tests. What these prove is that our side is consistent with the
documented interface as it is written down here, not that a server agrees.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any
from urllib.parse import unquote

import httpx

USER, PASSWORD, API_KEY = "ada", "opensearch-password", "horreum-api-key"


class Unexpected(AssertionError):
    """A call that is none of those written down."""


def answer(status: int, body: Any = None) -> httpx.Response:
    return httpx.Response(status, json=body) if body is not None else httpx.Response(status)


class OpenSearchStub:
    """Indices with documents, `_bulk` create, `_search` by one term, `_update` with an upsert."""

    def __init__(self) -> None:
        self.indices: dict[str, dict[str, Any]] = {}
        self.counters: dict[str, int] = {}
        self.calls: list[str] = []
        self.most_hits = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return answer(401, {"error": "unauthorized"})
        path = request.url.raw_path.decode().partition("?")[0]
        self.calls.append(f"{request.method} {path}")
        parts = [unquote(part) for part in path.strip("/").split("/")]
        match request.method, parts[1:]:
            case "HEAD", []:
                return answer(200 if parts[0] in self.indices else 404)
            case "PUT", []:
                return self.create(parts[0], json.loads(request.content))
            case "POST", ["_bulk"]:
                assert request.headers["content-type"] == "application/x-ndjson"
                assert dict(request.url.params) == {"refresh": "true"}
                return self.bulk(parts[0], request.content)
            case "POST", ["_search"]:
                return self.search(parts[0], json.loads(request.content))
            case "POST", ["_update", name]:
                return self.count(name, request)
        raise Unexpected(f"{request.method} {path}")

    def create(self, index: str, body: dict[str, Any]) -> httpx.Response:
        if index in self.indices:
            return answer(400, {"error": {"type": "resource_already_exists_exception"}})
        assert set(body) == {"mappings", "settings"}
        assert body["mappings"]["properties"]["kpis"] == {"type": "flat_object"}
        self.indices[index] = {}
        return answer(200, {"acknowledged": True})

    def bulk(self, index: str, content: bytes) -> httpx.Response:
        assert content.endswith(b"\n")
        lines = [json.loads(line) for line in content.splitlines()]
        items = []
        for action, document in zip(lines[::2], lines[1::2], strict=True):
            (uuid,) = action["create"].values()
            there = uuid in self.indices[index]
            self.indices[index].setdefault(uuid, document)
            items.append({"create": {"_id": uuid, "status": 409 if there else 201}})
        return answer(200, {"errors": False, "items": items})

    def search(self, index: str, body: dict[str, Any]) -> httpx.Response:
        if index not in self.indices:
            return answer(404, {"error": {"type": "index_not_found_exception"}})
        assert set(body) <= {"query", "_source", "sort", "size", "search_after"}
        assert body["sort"] == [{"@timestamp": "desc"}, {"test_uuid": "desc"}]
        assert body["size"] <= 10_000
        ((field, wanted),) = body["query"]["term"].items()
        assert field in {"series", "workload"}
        rows = []
        for document in self.indices[index].values():
            value = document[field]
            if wanted == value or (isinstance(value, list) and wanted in value):
                rows.append(([document["@timestamp"], document["test_uuid"]], document))
        rows.sort(key=lambda row: row[0], reverse=True)
        after = body.get("search_after")
        rows = [row for row in rows if after is None or row[0] < after]
        hits = [
            {"sort": sort, "_source": _selected(document, body["_source"])}
            for sort, document in rows[: body["size"]]
        ]
        self.most_hits = max(self.most_hits, len(hits))
        return answer(200, {"hits": {"hits": hits}})

    def count(self, name: str, request: httpx.Request) -> httpx.Response:
        assert request.url.params["_source"] == "true"
        body = json.loads(request.content)
        assert body["script"] == {"source": "ctx._source.build_index += 1", "lang": "painless"}
        assert body["upsert"] == {"build_index": 1}
        self.counters[name] = self.counters.get(name, 0) + 1
        return answer(200, {"get": {"_source": {"build_index": self.counters[name]}}})


def _selected(document: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    selected: dict[str, Any] = {}
    for field in fields:
        top, _, below = field.partition(".")
        if below:
            found = {key: value for key, value in document[top].items() if key == below}
            selected.setdefault(top, {}).update(found)
        else:
            selected[top] = document[top]
    return selected


class HorreumStub:
    """One test with runs: upload, list by page, data; times are compared as texts."""

    def __init__(self, test: str) -> None:
        self.test = test
        self.runs: list[dict[str, Any]] = []
        self.data: list[bytes] = []
        self.calls: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("x-horreum-api-key") != API_KEY:
            return answer(401, {"error": "unauthorized"})
        path = request.url.path
        self.calls.append(f"{request.method} {path}")
        params = dict(request.url.params)
        if request.method == "GET" and path.startswith("/api/test/byName/"):
            known = path.removeprefix("/api/test/byName/") == self.test
            return answer(200, {"id": 101, "name": self.test}) if known else answer(404)
        if (request.method, path) == ("POST", "/api/run/data"):
            return self.upload(params, request.content)
        if (request.method, path) == ("GET", "/api/run/list/101"):
            return self.list(params)
        match = re.fullmatch(r"/api/run/(\d+)/data", path)
        if request.method == "GET" and match:
            assert set(params) == {"schemaUri"}
            return httpx.Response(200, content=self.data[int(match[1])])
        raise Unexpected(f"{request.method} {path}")

    def upload(self, params: dict[str, str], content: bytes) -> httpx.Response:
        assert {"test", "start", "stop", "access"} <= set(params)
        assert set(params) <= {"test", "start", "stop", "access", "owner", "schema", "description"}
        assert params["test"] == self.test
        assert json.loads(content)["$schema"] == params["schema"]
        number = len(self.runs)
        self.runs.append(
            {"id": number, "description": params["description"], "stop": params["stop"]}
        )
        self.data.append(content)
        return answer(202, [number])

    def list(self, params: dict[str, str]) -> httpx.Response:
        assert set(params) == {"trashed", "limit", "page", "sort", "direction"}
        assert (params["sort"], params["direction"]) == ("stop", "Descending")
        runs = sorted(self.runs, key=lambda run: run["stop"], reverse=True)
        size, page = int(params["limit"]), int(params["page"])
        shown = runs[(page - 1) * size : page * size]
        return answer(200, {"total": len(runs), "runs": shown})

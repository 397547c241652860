"""The history in an OpenSearch index: one document for each payload, its id the `test_uuid`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from projects.core.errors import ConfigurationError, InfrastructureError
from projects.core.secrets import masking
from projects.matrix_benchmarking.history.history import (
    MOST_POINTS,
    StoredRun,
    StoredSeries,
    assemble,
    check_limit,
    point_of,
    points_of,
    series_key,
    summarise,
)
from projects.matrix_benchmarking.kpis.payload import as_document, parse_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projects.matrix_benchmarking.history.http import Server
    from projects.matrix_benchmarking.kpis.payload import Payload

PAGE = 1000
"""Documents of one answer; `search_after` gets the next ones, beyond 10,000 too."""

BULK_BYTES = 8 * 1024**2
"""Bytes of one bulk request; a single longer document goes alone."""

MOST_RUNS_LOOKED_AT = 20_000
"""Documents that a list of runs is made of."""

_WORD = {"type": "keyword"}

MAPPINGS = {
    "dynamic": False,
    "properties": {
        "@timestamp": {"type": "date"},
        "test_uuid": _WORD,
        "run_id": _WORD,
        "workload": _WORD,
        "status": _WORD,
        "series": {"type": "keyword", "ignore_above": 8191},
        "metadata": {"type": "flat_object"},
        "kpis": {"type": "flat_object"},
        "results": {"type": "object", "enabled": False},
    },
}
"""`series` holds the keys of what the payload has points of: exact, whatever the labels are."""

SETTINGS = {"index.mapping.total_fields.limit": 4000, "number_of_shards": 4}

_INDEX = re.compile(r"[a-z0-9][a-z0-9._-]{0,200}")


class OpenSearchHistory:
    """A history in the index `index` of a server; the index is made when something is appended.

    Errors
    ------
    ConfigurationError
        The name is none for an index.
    """

    def __init__(self, server: Server, index: str, build_counter_index: str = "") -> None:
        self._server = server
        self._index = _checked(index)
        self._counter = _checked(build_counter_index) if build_counter_index else f"{index}-counter"

    @property
    def address(self) -> str:
        """The server and the index."""
        return f"{self._server.what}/{self._index}"

    def append(self, payloads: Sequence[Payload]) -> int:
        """Keep payloads that are not there yet; return how many. An interrupted one can go on."""
        if not payloads:
            return 0
        self._make_index()
        return sum(self._bulk(body) for body in _bulks(payloads))

    def series(
        self,
        kpi: str,
        labels: Mapping[str, str],
        *,
        workload: str = "",
        limit: int = MOST_POINTS,
    ) -> StoredSeries:
        """Return the newest `limit` values of a KPI with exactly these labels."""
        query = {"term": {"series": series_key(workload, kpi, labels)}}
        points = []
        for source in self._search(query, ["metadata", f"kpis.{kpi}"], check_limit(limit)):
            document = {"metadata": source["metadata"], "kpis": source["kpis"]}
            payload = parse_document(document, self.address)
            points += [point_of(payload, each, value) for each, value in points_of(payload)]
        return assemble(kpi, labels, points)

    def runs(self, *, workload: str = "", limit: int = 100) -> list[StoredRun]:
        """Return the newest runs, the newest first."""
        wanted = ["metadata"]
        sources = self._search({"term": {"workload": workload}}, wanted, MOST_RUNS_LOOKED_AT)
        found = [parse_document({"metadata": each["metadata"]}, self.address) for each in sources]
        rows = [(each.metadata.run_id, workload, each.metadata.end) for each in found]
        return summarise(rows, check_limit(limit))

    def next_build_index(self, identifier: str) -> int:
        """Return the next number of `identifier`, beginning with 1; the server counts."""
        from urllib.parse import quote

        script = {"source": "ctx._source.build_index += 1", "lang": "painless"}
        path = f"/{self._counter}/_update/{quote(identifier, safe='')}"
        params: dict[str, str | int] = {
            "_source": "true",
            "retry_on_conflict": 20,
            "refresh": "true",
        }
        body = {"script": script, "upsert": {"build_index": 1}}
        _, answer = self._server.call("POST", path, params=params, json=body)
        return int(answer["get"]["_source"]["build_index"])

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def _make_index(self) -> None:
        missing = frozenset((404,))
        status, _ = self._server.call("HEAD", f"/{self._index}", accept=missing)
        if status not in missing:
            return
        body = {"mappings": MAPPINGS, "settings": SETTINGS}
        # 400: somebody was faster; if it is something else, the next call says so.
        self._server.call("PUT", f"/{self._index}", json=body, accept=frozenset((400,)))

    def _bulk(self, body: bytes) -> int:
        kind = {"Content-Type": "application/x-ndjson"}
        path = f"/{self._index}/_bulk"
        _, answer = self._server.call(
            "POST", path, params={"refresh": "true"}, content=body, headers=kind
        )
        made = 0
        for item in answer["items"]:
            done = item["create"]
            if done["status"] == 201:  # noqa: PLR2004 - created
                made += 1
            elif done["status"] != 409:  # noqa: PLR2004 - it is there already
                reason = json.dumps(done.get("error", done))[:500]
                raise InfrastructureError(f"{self.address}: {done['_id']} was refused: {reason}")
        return made

    def _search(
        self, query: dict[str, Any], fields: list[str], limit: int
    ) -> Iterator[dict[str, Any]]:
        body: dict[str, Any] = {
            "query": query,
            "_source": fields,
            "sort": [{"@timestamp": "desc"}, {"test_uuid": "desc"}],
        }
        while limit > 0:
            body["size"] = min(PAGE, limit)
            missing = frozenset((404,))
            path = f"/{self._index}/_search"
            status, answer = self._server.call("POST", path, json=body, accept=missing)
            hits = [] if status in missing else answer["hits"]["hits"]
            for hit in hits:
                yield hit["_source"]
            if len(hits) < body["size"]:
                return
            limit -= len(hits)
            body["search_after"] = hits[-1]["sort"]


def document_of(payload: Payload) -> dict[str, Any]:
    """Return the document of a payload: as `as_document`, and what is searched for."""
    metadata = payload.metadata
    keys = [series_key(metadata.workload, kpi.name, kpi.labels) for kpi, _ in points_of(payload)]
    return as_document(payload) | {
        "@timestamp": metadata.end.isoformat(),
        "test_uuid": str(metadata.test_uuid),
        "run_id": metadata.run_id,
        "workload": metadata.workload,
        "status": metadata.status,
        "series": keys,
    }


def _bulks(payloads: Sequence[Payload]) -> Iterator[bytes]:
    body = b""
    for payload in payloads:
        action = json.dumps({"create": {"_id": str(payload.metadata.test_uuid)}})
        document = json.dumps(document_of(payload), ensure_ascii=False)
        lines = f"{action}\n{masking.mask(document)}\n".encode()
        if body and len(body) + len(lines) > BULK_BYTES:
            yield body
            body = b""
        body += lines
    yield body


def _checked(index: str) -> str:
    if not _INDEX.fullmatch(index):
        raise ConfigurationError(
            f'OpenSearch index "{index}": lower-case letters, digits, . _ - and a letter first'
        )
    return index

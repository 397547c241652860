"""The history in Horreum: one run of a test for each payload, described by its `test_uuid`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from projects.core.errors import ConfigurationError, UsageError
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

    from projects.matrix_benchmarking.history.history import PointOfSeries
    from projects.matrix_benchmarking.history.http import Server
    from projects.matrix_benchmarking.kpis.payload import Payload

PAGE = 500
"""Runs of one answer."""

SCHEMA = "urn:topgallant:lts-payload:1"
"""The `$schema` of a run's data; labels and change detection in Horreum can refer to it."""


class HorreumHistory:
    """A history in the test `test` of a Horreum server, which has to exist.

    Source: Horreum's REST API, `/api/run` and `/api/test`. It has neither ids of our choice nor a
    query for our labels: what is there is known by the runs' descriptions, and a series reads the
    data of its runs one by one. Appending from two processes at once may store a payload twice;
    it counts once.
    """

    def __init__(
        self, server: Server, test: str, *, owner: str = "", access: str = "PUBLIC"
    ) -> None:
        self._server = server
        self._test = test
        self._owner = owner
        self._access = access
        self._test_id: int | None = None
        self._known: dict[int, Payload] = {}

    @property
    def address(self) -> str:
        """The server and the test."""
        return f"{self._server.what} test {self._test}"

    def append(self, payloads: Sequence[Payload]) -> int:
        """Keep payloads that are not there yet; return how many. An interrupted one can go on."""
        if not payloads:
            return 0
        there = {run.get("description") for run in self._runs()}
        new = {str(payload.metadata.test_uuid): payload for payload in payloads}
        missing = [uuid for uuid in new if uuid not in there]
        for uuid in missing:
            self._upload(uuid, new[uuid])
        return len(missing)

    def series(
        self,
        kpi: str,
        labels: Mapping[str, str],
        *,
        workload: str = "",
        limit: int = MOST_POINTS,
    ) -> StoredSeries:
        """Return the newest `limit` values of a KPI with exactly these labels."""
        wanted = series_key(workload, kpi, labels)
        points: list[PointOfSeries] = []
        check_limit(limit)
        for payload in self._payloads():
            for each, value in points_of(payload):
                if series_key(payload.metadata.workload, each.name, each.labels) == wanted:
                    points.append(point_of(payload, each, value))
            if len(points) >= limit:
                break
        return assemble(kpi, labels, points)

    def runs(self, *, workload: str = "", limit: int = 100) -> list[StoredRun]:
        """Return the newest runs, the newest first."""
        found = (payload.metadata for payload in self._payloads())
        rows = [(each.run_id, workload, each.end) for each in found if each.workload == workload]
        return summarise(rows, check_limit(limit))

    def next_build_index(self, identifier: str) -> int:
        """Raise UsageError: Horreum cannot count for us."""
        raise UsageError(
            f"{self.address} has no counter for {identifier}: use one of SQLite or OpenSearch"
        )

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def _upload(self, uuid: str, payload: Payload) -> None:
        metadata = payload.metadata
        params = {
            "test": self._test,
            "start": metadata.start.isoformat(),
            "stop": metadata.end.isoformat(),
            "access": self._access,
            "description": uuid,
            "schema": SCHEMA,
        }
        if self._owner:
            params["owner"] = self._owner
        body = masking.mask(json.dumps(as_document(payload) | {"$schema": SCHEMA}))
        kind = {"Content-Type": "application/json"}
        path = "/api/run/data"
        self._server.call("POST", path, params=params, content=body.encode(), headers=kind)

    def _payloads(self) -> Iterator[Payload]:
        """Yield the payloads, the newest first, each `test_uuid` once."""
        seen = set()
        for run in self._runs():
            uuid = run.get("description")
            if not uuid or uuid in seen:  # of a run without it nobody knows what it is
                continue
            seen.add(uuid)
            number = int(run["id"])
            if number not in self._known:
                path = f"/api/run/{number}/data"
                _, document = self._server.call("GET", path, params={"schemaUri": SCHEMA})
                if not isinstance(document, dict):  # somebody else's
                    continue
                document.pop("$schema", None)
                self._known[number] = parse_document(document, f"{self.address} run {number}")
            yield self._known[number]

    def _runs(self) -> Iterator[dict[str, Any]]:
        page = 1
        while True:
            params: dict[str, str | int] = {
                "trashed": "false",
                "limit": PAGE,
                "page": page,
                "sort": "stop",
                "direction": "Descending",
            }
            path = f"/api/run/list/{self._id()}"
            _, answer = self._server.call("GET", path, params=params)
            yield from answer["runs"]
            if len(answer["runs"]) < PAGE:
                return
            page += 1

    def _id(self) -> int:
        if self._test_id is None:
            from urllib.parse import quote

            path = f"/api/test/byName/{quote(self._test, safe='')}"
            status, answer = self._server.call("GET", path, accept=frozenset((404,)))
            if status == 404:  # noqa: PLR2004 - not found
                raise ConfigurationError(
                    f'{self._server.what} has no test "{self._test}": make it there first, or '
                    f"change matbench.lts.horreum.test_name"
                )
            self._test_id = int(answer["id"])
        return self._test_id

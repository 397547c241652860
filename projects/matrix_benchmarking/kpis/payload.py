"""The document of one result for long-term storage: metadata, results, KPIs; and its schema."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID  # noqa: TC003 - pydantic reads annotations

from pydantic import Field, TypeAdapter, ValidationError, field_validator

from projects.core.errors import UsageError, unreadable
from projects.core.secrets import masking
from projects.matrix_benchmarking.kpis.kpi import Kpis, KpiValue, Strict, evaluate
from projects.matrix_benchmarking.results.garbage import no_collection
from projects.matrix_benchmarking.results.result import Scalar  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from projects.matrix_benchmarking.results.result import Result

SCHEMA_VERSION = "1"

LARGEST = 512 * 1024**2
"""Bytes; no file of payloads that we read is longer."""


class Metadata(Strict):
    """What a result is of: where it stands in the matrix, when it ran, on what.

    `start` and `end` in UTC. `config_sha256` is that of the run's configuration. `status` is
    "passed" if the exit code is 0.
    """

    lts_schema_version: str = SCHEMA_VERSION
    workload: str = ""
    run_id: str = ""
    test_uuid: UUID
    settings: dict[str, Scalar]
    start: datetime
    end: datetime
    status: str
    exit_code: int
    fingerprint: dict[str, Scalar] = Field(default_factory=dict)
    presets: list[str] = Field(default_factory=list)
    config_sha256: str | None = None
    versions: dict[str, str] = Field(default_factory=dict)
    urls: dict[str, str] = Field(default_factory=dict)

    @field_validator("start", "end")
    @classmethod
    def _utc(cls, moment: datetime) -> datetime:
        if moment.tzinfo is None:
            raise ValueError(f"{moment} has no time zone")
        return moment.astimezone(UTC)


class Payload(Strict):
    """One result as it is stored: `results` is what the parser returned."""

    metadata: Metadata
    results: dict[str, Any] = Field(default_factory=dict)
    kpis: dict[str, KpiValue] = Field(default_factory=dict)


_PAYLOADS = TypeAdapter(list[Payload])


def build(
    result: Result,
    kpis: Kpis | None = None,
    *,
    workload: str = "",
    run_id: str | None = None,
    urls: Mapping[str, str] | None = None,
) -> Payload:
    """Return the payload of a parsed result with its KPIs evaluated.

    Without `run_id` it is the start of the run that the result lies in: the same wherever the
    directory is copied.

    Errors
    ------
    UsageError
        The result has a problem.
    """
    if result.problem is not None or result.exit_code is None:
        raise UsageError(f"{result.directory} has no payload: {result.problem}")
    around = result.surroundings
    end = result.end or result.start or EPOCH
    metadata = Metadata(
        workload=workload,
        run_id=(around.run_start or "") if run_id is None else run_id,
        test_uuid=result.test_uuid,
        settings=dict(result.settings),
        start=result.start or end,
        end=end,
        status="failed" if result.exit_code else "passed",
        exit_code=result.exit_code,
        fingerprint=dict(around.fingerprint),
        presets=list(around.presets),
        config_sha256=around.config_sha256,
        versions=dict(around.versions),
        urls=dict(urls or {}),
    )
    results = result.parsed if isinstance(result.parsed, dict) else {"parsed": result.parsed}
    payload = Payload(metadata=metadata, results=results)
    return payload.model_copy(update={"kpis": evaluate(kpis, payload)}) if kpis else payload


EPOCH = datetime.fromtimestamp(0, UTC)
"""The time of a result that does not tell it."""


def build_all(
    results: Sequence[Result],
    kpis: Kpis | None = None,
    *,
    workload: str = "",
    run_id: str | None = None,
    urls: Mapping[str, str] | None = None,
) -> list[Payload]:
    """Return the payloads of all results that have no problem."""
    with no_collection():
        return [
            build(result, kpis, workload=workload, run_id=run_id, urls=urls)
            for result in results
            if result.problem is None and result.exit_code is not None
        ]


def dumps(payloads: Sequence[Payload]) -> str:
    """Return payloads as JSON text: the same payloads, the same bytes; secrets masked.

    Keys are sorted, floats are the shortest text that reads back the same. NaN and infinity in
    `results` become the texts "NaN", "Infinity", "-Infinity", as JSON has no word for them.
    """
    return _text([as_document(payload) for payload in payloads])


def dumps_kpis(payloads: Sequence[Payload]) -> str:
    """Return only the KPIs, in the order of the payloads, as `dumps` does."""
    return _text([as_document(payload)["kpis"] for payload in payloads])


def as_document(payload: Payload) -> dict[str, Any]:
    """Return a payload as plain JSON values: what the histories store."""
    document = payload.model_dump(mode="json", exclude={"results"})
    return document | {"results": json_safe(payload.results)}


def _text(document: object) -> str:
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return masking.mask(text) + "\n"


def json_safe(value: Any) -> Any:
    """Return JSON-like data with NaN and infinity as texts, keys as texts, all texts UTF-8."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {json_safe(str(key)): json_safe(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_safe(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def loads(text: str | bytes, name: str) -> list[Payload]:
    """Return the payloads of a text that `dumps` wrote; `name` is for messages.

    Errors
    ------
    UsageError
        It is something else: with the first thing that does not fit.
    """
    try:
        return _PAYLOADS.validate_json(text)
    except ValidationError as error:
        raise UsageError(f"{name}: {_first(error)}") from None


def parse_document(document: object, name: str) -> Payload:
    """Return the payload of a stored document; UsageError as `loads`."""
    try:
        return Payload.model_validate(document)
    except ValidationError as error:
        raise UsageError(f"{name}: {_first(error)}") from None


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"is no payload ({error.error_count()} problems): {where}: {first['msg']}"


def read(path: Path) -> list[Payload]:
    """Return the payloads of a file; UsageError as `loads`, or beyond LARGEST bytes."""
    try:
        if path.stat().st_size > LARGEST:
            raise UsageError(f"{path}: longer than {LARGEST} bytes")
        return loads(path.read_bytes(), str(path))
    except OSError as error:
        raise unreadable(path, error) from error


def schema() -> dict[str, Any]:
    """Return the JSON schema (2020-12) of a file of payloads."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "LTS payloads",
        **_PAYLOADS.json_schema(mode="serialization"),
    }


def write(payloads: Sequence[Payload], directory: Path, name: str = "lts_payload") -> Path:
    """Write `NAME.json`, and `NAME.schema.json` beside it; return the first one's path."""
    path = directory / f"{name}.json"
    try:
        path.write_text(dumps(payloads), encoding="utf-8")
        path.with_name(f"{name}.schema.json").write_text(_text(schema()), encoding="utf-8")
    except OSError as error:
        raise unreadable(path, error) from error
    return path

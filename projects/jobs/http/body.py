"""Bodies: read within a bound, parsed as strict JSON of a bounded depth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from projects.core.errors import unknown
from projects.jobs.http.refusals import Invalid, Refusal, TooLarge, WrongMedia

if TYPE_CHECKING:
    from fastapi import Request
    from pydantic_core import ErrorDetails

MOST_BYTES = 64 << 20
MOST_DEPTH = 32
_SOON = 64 << 10
"""A body up to this many bytes is parsed at once; a larger one in a thread."""


class Unreadable(Refusal):
    """The body isn't JSON."""


Model = TypeVar("Model", bound=BaseModel)
_MOST_COMPLAINTS = 20


def read_model(kind: type[Model], values: Any) -> Model:
    """Return what a request holds as its class has it; no value is taken for another type's.

    Raises
    ------
    Invalid
        It isn't one: says which fields, each with its reason, and the nearest name of one.
    """
    try:
        return kind.model_validate(values, strict=True)
    except ValidationError as error:
        fields = {}
        for one in error.errors(include_url=False, include_input=False)[:_MOST_COMPLAINTS]:
            name = ".".join(map(str, one["loc"]))[:100] or "body"
            fields[name] = _complaint(kind, one)
        said = "; ".join(f"{name}: {reason}" for name, reason in fields.items())
        raise Invalid(said, fields=fields) from None


def _complaint(kind: type[BaseModel], error: ErrorDetails) -> str:
    """Return what is wrong with a value, in words of JSON rather than of Python."""
    if error["type"] == "model_type":
        return "it must be an object"
    if error["type"] != "extra_forbidden":
        return error["msg"]
    if len(error["loc"]) == 1:
        return unknown("field", str(error["loc"][0])[:100], kind.model_fields)
    return "there is no such field"


async def read_json(request: Request, most: int = MOST_BYTES) -> Any:
    """Return the values of a JSON body.

    Raises
    ------
    WrongMedia, TooLarge, Unreadable, Invalid
        It isn't sent as JSON (so that no other site's form can send it); it has more than `most`
        bytes, of which no more than those are ever held; it isn't JSON (NaN isn't); it is nested
        deeper than `MOST_DEPTH`, or holds a number or character that can't be kept.
    """
    media = _media(request)
    if media != "application/json" and not media.endswith("+json"):
        raise WrongMedia(f"send JSON, with Content-Type: application/json, not {media[:60] or '-'}")
    data = await read_bytes(request, most)
    return parse(data) if len(data) <= _SOON else await run_in_threadpool(parse, data)


MOST_FORM = 1 << 20
"""Bytes of a form."""

MOST_FIELDS = 1000
_FORM = "application/x-www-form-urlencoded"


class Form:
    """The fields of a form, as texts, in their order; a name may come several times."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self.fields = fields

    def get(self, name: str, default: str = "") -> str:
        """Return the last value of a field."""
        return next((value for each, value in reversed(self.fields) if each == name), default)

    def all_of(self, name: str) -> list[str]:
        """Return every value of a field."""
        return [value for each, value in self.fields if each == name]


def is_form(request: Request) -> bool:
    """Return whether the body is a page's form."""
    return _media(request) == _FORM


async def read_form(request: Request, most: int = MOST_FORM) -> Form:
    """Return the fields of a form; it may be asked for again.

    Raises
    ------
    WrongMedia, TooLarge, Unreadable, Invalid
        It isn't `application/x-www-form-urlencoded`; it has more than `most` bytes; it isn't
        UTF-8, has too many fields, or holds a NUL character.
    """
    known: Form | None = getattr(request.state, "topgallant_form", None)
    if known is not None:
        return known
    if not is_form(request):
        raise WrongMedia(f"send a form: Content-Type: {_FORM}")
    data = await read_bytes(request, most)
    try:
        fields = parse_qsl(
            data.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        raise Unreadable(f"the body is no form of at most {MOST_FIELDS} fields") from None
    if any("\0" in name or "\0" in value for name, value in fields):
        raise Invalid("the form holds a NUL character: it can't be kept")
    request.state.topgallant_form = Form(fields)
    return request.state.topgallant_form  # type: ignore[no-any-return]


def _media(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def parse(data: bytes, *, allow_nan: bool = False) -> Any:
    """Return the values of JSON text, checked; see `read_json` for the errors.

    `allow_nan`: NaN and infinities are taken as well, as Python and others write them.
    """
    try:
        # Stops at 200 levels by itself, refuses NaN, surrogates, and numbers of 4,300 digits.
        values = from_json(data, allow_inf_nan=allow_nan, cache_strings="keys")
    except ValueError as error:
        said = str(error)
        if "recursion" in said:
            raise _too_deep() from None
        raise Unreadable(f"the body is not JSON: {said}") from None
    _check(values, allow_nan=allow_nan)
    return values


async def read_bytes(request: Request, most: int = MOST_BYTES) -> bytes:
    """Return a body of at most `most` bytes, of which no more are ever held.

    Raises
    ------
    TooLarge, Unreadable
        It has more; the connection broke before its end.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > most:
        raise _too_large(most)
    chunks, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                raise _too_large(most)
            chunks.append(chunk)
    except ClientDisconnect:  # nobody hears it, but it is no mistake of ours
        raise Unreadable("the connection broke before all of the body had come") from None
    return b"".join(chunks)


def _check(values: Any, *, allow_nan: bool) -> None:
    level: list[Any] = [values]
    for _ in range(MOST_DEPTH + 1):
        deeper: list[Any] = []
        for value in level:
            kind = type(value)
            if kind is dict:
                deeper.append(None)  # a level, even an empty one
                deeper.extend(value)
                deeper.extend(value.values())
            elif kind is list:
                deeper.append(None)
                deeper.extend(value)
            elif kind is str:
                if "\0" in value:
                    raise Invalid("the body holds a NUL character (\\u0000): it can't be kept")
            elif kind is float and not allow_nan and not math.isfinite(value):
                raise Invalid("the body holds a number that is too large for a double")
        if not deeper:
            return
        level = deeper
    raise _too_deep()


def _too_deep() -> Invalid:
    return Invalid(f"the body is nested too deeply: at most {MOST_DEPTH} levels")


def _too_large(most: int) -> TooLarge:
    size = f"{most >> 20} MiB" if most >= 1 << 20 else f"{most} bytes"
    return TooLarge(f"the body is too large: at most {size} ({most} bytes); send it in parts")

"""Secrets never come through, everything else comes through unchanged."""

from __future__ import annotations

import base64
import html
import itertools
import json
import logging
import shlex
import urllib.parse
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from projects.core.secrets import masking
from projects.core.secrets.masking import StreamMasker, mask, mask_bytes, register

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(autouse=True)
def nothing_registered() -> Iterator[None]:
    masking.forget_all()
    yield
    masking.forget_all()


def fresh(*values: str) -> None:
    masking.forget_all()
    for number, value in enumerate(values):
        register(value, f"secret-{number}")


def streamed(data: bytes, cuts: list[int]) -> bytes:
    masker = StreamMasker()
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    shown = [masker.feed(data[a:b]) for a, b in itertools.pairwise(places)]
    return b"".join([*shown, masker.close()])


# The stars themselves and white space at the ends are no part of a secret.
CHARACTERS = st.characters(exclude_characters="*", codec="utf-8")
SECRETS = st.text(CHARACTERS, min_size=4, max_size=200).map(str.strip).filter(lambda s: len(s) >= 4)
TEXTS = st.text(max_size=60)
CUTS = st.lists(st.integers(0, 500), max_size=8)
ALIKE = st.text("ab", min_size=4, max_size=12)


def json_ascii(value: str) -> str:
    return json.dumps(value)[1:-1]


def json_unicode(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)[1:-1]


def lower_url(value: str) -> str:
    quoted = urllib.parse.quote(value, safe="")
    return "".join(
        part[:2].lower() + part[2:] if number else part
        for number, part in enumerate(quoted.replace("%", "\0%").split("\0"))
        for part in [("%" + part[1:3].lower() + part[3:]) if part.startswith("%") else part]
    )


WRITTEN: dict[str, Callable[[str], str]] = {
    "plain": str,
    "json": json_ascii,
    "json_unicode": json_unicode,
    "url": lambda value: urllib.parse.quote(value, safe=""),
    "url_path": urllib.parse.quote,
    "url_form": urllib.parse.quote_plus,
    "url_lower": lower_url,
    "html": html.escape,
    "html_text": lambda value: html.escape(value, quote=False),
    "shell": lambda value: value.replace("'", "'\"'\"'"),
    "repr": lambda value: repr(value)[1:-1],
}


@pytest.mark.parametrize("form", WRITTEN)
@given(secret=SECRETS, before=TEXTS, after=TEXTS, cuts=CUTS)
def test_no_written_form_comes_through(
    form: str, secret: str, before: str, after: str, cuts: list[int]
) -> None:
    fresh(secret)
    written = WRITTEN[form](secret)
    text = before + written + after
    assert written not in mask(text)
    data = text.encode("utf-8", "surrogatepass")
    assert written.encode() not in mask_bytes(data)
    assert written.encode() not in streamed(data, cuts)


@given(secret=SECRETS, before=st.binary(max_size=80), after=st.binary(max_size=80), cuts=CUTS)
@example(secret="abcd", before=b"", after=b"", cuts=[])
def test_base64_never_decodes_to_the_secret(
    secret: str, before: bytes, after: bytes, cuts: list[int]
) -> None:
    fresh(secret)
    for encode in (base64.standard_b64encode, base64.urlsafe_b64encode):
        written = encode(before + secret.encode() + after)
        for masked in (
            mask_bytes(written),
            mask(written.decode()).encode(),
            streamed(written, cuts),
        ):
            assert b"***" in masked
            # What is left between the stars, at any alignment, holds no piece of the secret.
            for left in masked.split(b"***"):
                for alignment in range(4):
                    rest = left[alignment:].rstrip(b"=")
                    decoded = base64.b64decode(
                        rest[: len(rest) // 4 * 4].translate(bytes.maketrans(b"-_", b"+/"))
                    )
                    assert secret.encode() not in decoded


@given(
    secret=st.text(CHARACTERS, min_size=12, max_size=300).map(str.strip),
    before=st.binary(max_size=200),
    after=st.binary(max_size=100),
    shape=st.tuples(st.sampled_from([64, 76]), st.sampled_from([b"\n", b"\r\n", b"\n    "])),
    cuts=CUTS,
)
def test_base64_broken_into_lines_is_masked(
    secret: str, before: bytes, after: bytes, shape: tuple[int, bytes], cuts: list[int]
) -> None:
    columns, line_end = shape
    assume(len(secret) >= 4)
    fresh(secret)
    data = secret.encode()
    flat = base64.b64encode(before + data + after)
    broken = line_end.join(flat[i : i + columns] for i in range(0, len(flat), columns))
    whole = mask_bytes(broken)
    first = -(-len(before) * 8 // 6)
    decided = flat[first : (len(before) + len(data)) * 8 // 6]
    left = b"".join(whole.split())
    assert b"***" in left
    assert decided not in left
    assert len(left) <= len(flat) - len(decided) + 3 * (len(decided) // columns + 2)
    assert streamed(broken, cuts) == whole


@given(secrets=st.lists(st.one_of(SECRETS, ALIKE), min_size=1, max_size=4), data=st.data())
def test_a_stream_says_what_the_whole_says_however_it_is_cut(
    secrets: list[str], data: st.DataObject
) -> None:
    fresh(*secrets)
    encoded = [s.encode() for s in secrets]
    pieces = st.one_of(
        st.sampled_from(encoded),
        st.sampled_from([e[: len(e) // 2] for e in encoded]),
        st.sampled_from([base64.b64encode(e) for e in encoded]),
        st.binary(max_size=6),
        st.text("ab\n", max_size=6).map(str.encode),
    )
    text = b"".join(data.draw(st.lists(pieces, max_size=12)))
    whole = mask_bytes(text)
    for secret in encoded:
        assert all(secret not in left for left in whole.split(b"***"))
    assert streamed(text, data.draw(CUTS)) == whole
    assert streamed(text, list(range(len(text)))) == whole


@given(text=st.text(), data=st.binary(), cuts=CUTS)
def test_what_is_not_secret_comes_through_byte_for_byte(
    text: str, data: bytes, cuts: list[int]
) -> None:
    fresh("correct horse battery staple", "Tr0ub4dor&3")
    assume("Tr0u" not in text)
    assert mask(text) is text
    assert mask_bytes(data) == data
    assert streamed(data, cuts) == data


@given(st.text())
def test_lone_surrogates_survive_beside_a_secret(text: str) -> None:
    fresh("Tr0ub4dor&3")
    text = "\udcff\ud800" + text
    assert mask(text + "Tr0ub4dor&3") == text + "***"


def test_nothing_registered_gives_back_the_very_object() -> None:
    text, data = "a" * 100, b"a" * 100
    assert mask(text) is text
    assert mask_bytes(data) is data


def test_a_line_that_begins_no_secret_is_not_held_back() -> None:
    register("s3cr3t-value", "one")
    masker = StreamMasker()
    assert masker.feed(b"Password for root: ") == b"Password for root: "
    assert masker.feed(b"done\n") == b"done\n"
    assert masker.feed(b"half: s3cr") == b"half: "
    assert masker.feed(b"et\n") == b"s3cret\n"
    assert masker.feed(b"s3cr3t-value") == b"***"
    assert masker.feed(b"\n") == b"\n"
    assert masker.close() == b""


def test_a_line_of_base64_is_held_only_where_a_secret_may_go_on() -> None:
    register("s3cr3t-value", "one")
    masker = StreamMasker()
    line = b"Q" * 76 + b"\n"
    assert masker.feed(line) == line
    assert masker.feed(b"x" * 73 + b"czN\n") == b"x" * 73
    assert masker.feed(b"    ") == b""
    assert masker.close() == b"czN\n    "


def test_each_line_of_a_key_is_secret_but_not_its_armour() -> None:
    register("-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIIrYSSNQ\n-----END EC PRIVATE KEY-----", "k")
    assert mask("see MHcCAQEEIIrYSSNQ") == "see ***"
    assert mask("-----BEGIN EC PRIVATE KEY-----") == "-----BEGIN EC PRIVATE KEY-----"


def test_values_of_keys_are_secret_but_not_what_anybody_may_know() -> None:
    register(
        "apiVersion: v1\nkind: ServiceAccount\nserver: https://api.example.com:6443\n"
        'user_password = "hunter2-hunter2"\nadmin_password=correcthorse\n'
        "  token: abc-123-def-456,\n",
        "kubeconfig",
    )
    for shown in ("apiVersion: v1", "kind: ServiceAccount", "https://api.example.com:6443"):
        assert mask(shown) == shown
    for hidden in ("hunter2-hunter2", "correcthorse", "abc-123-def-456"):
        assert mask(f"<{hidden}>") == "<***>"


def test_a_short_value_is_refused_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        register(" abc\n", "pin")
    assert "pin" in caplog.text
    assert "abc" not in caplog.text
    assert mask("abc") == "abc"


def test_overlapping_secrets_are_both_hidden() -> None:
    fresh("aaaaSECR", "SECRET-very-long")
    assert mask("x aaaaSECRET-very-long y") == "x *** y"


def test_a_long_secret_is_hidden_as_one() -> None:
    value = "".join(chr(33 + (i * i + i // 90) % 90) for i in range(5000)).replace("*", "+")
    register(value, "long")
    assert mask(f"[{value}]") == "[***]"
    assert streamed(f"[{value}]".encode(), list(range(0, 5000, 7))) == b"[***]"


def test_a_shell_word_is_hidden() -> None:
    value = "it's a 'secret'"
    register(value, "quotes")
    command = f"login --password {shlex.quote(value)}"
    assert mask(command) == "login --password '***'"


def test_a_traceback_shows_no_secret_of_any_cause_or_member() -> None:
    register("s3cr3t-value", "one")
    try:
        try:
            raise ValueError("bad s3cr3t-value")
        except ValueError as error:
            raise ExceptionGroup("several", [KeyError("s3cr3t-value")]) from error
    except ExceptionGroup as group:
        text = masking.mask_traceback(group)
    assert "s3cr3t-value" not in text
    assert "ValueError: bad ***" in text
    assert "KeyError" in text


def test_values_are_masked_before_they_are_written_as_yaml() -> None:
    masking.register("hunter2hunter2", "password")
    given = {"a": ["hunter2hunter2", 1], "hunter2hunter2": {"b": "x hunter2hunter2"}, "c": None}
    assert masking.mask_values(given) == {"a": ["***", 1], "***": {"b": "x ***"}, "c": None}


def test_json_within_a_quoted_shell_word_is_masked() -> None:
    masking.register('don\'t "tell" me', "password")
    assert masking.mask(shlex.join(["echo", json.dumps({"p": 'don\'t "tell" me'})])) == (
        'echo \'{"p": "***"}\''
    )
    assert "tell" not in masking.mask(shlex.join(["echo", repr('don\'t "tell" me')]))

import contextlib
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.errors import UsageError
from projects.jobs.model import identity

KNOWN = "kw0dZmh4R42lb2yZH7kGBA"


def test_the_two_forms_of_a_known_id_are_the_same() -> None:
    assert identity.uuid_form(KNOWN) == "930d1d66-6878-478d-a56f-6c991fb90604"
    assert identity.parse("930d1d66-6878-478d-a56f-6c991fb90604") == KNOWN
    assert identity.parse(KNOWN) == KNOWN


def test_sat_24_a_new_id_is_22_characters_of_a_version_4_uuid() -> None:
    made = {identity.new() for _ in range(100)}
    assert len(made) == 100
    assert all(len(one) == 22 for one in made)
    assert all(uuid.UUID(identity.uuid_form(one)).version == 4 for one in made)


@given(st.uuids(version=4))
def test_every_id_comes_back(value: uuid.UUID) -> None:
    text = identity.from_bytes(value.bytes)
    assert identity.to_bytes(text) == value.bytes
    assert identity.parse(text) == identity.parse(str(value)) == text


@pytest.mark.parametrize(
    "text",
    ["", "x", KNOWN[:-1], KNOWN + "A", KNOWN[:-1] + "B", KNOWN[:-1] + "\n", "../" + KNOWN[3:],
     "930d1d66-6878-178d-a56f-6c991fb90604", "é" * 22, "9" * 36],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not an id"):
        identity.parse(text)


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert len(identity.parse(text)) == 22

"""A Secret is text to who uses it and stars to who looks at it."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING

import pytest

from projects.core.errors import SecretError
from projects.core.secrets import masking
from projects.core.secrets.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def nothing_registered() -> Iterator[None]:
    masking.forget_all()
    yield
    masking.forget_all()


def test_it_is_the_value_where_it_is_used() -> None:
    token = Secret("s3cr3t-value", "token")
    assert token == "s3cr3t-value"
    assert f"Bearer {token}" == "Bearer s3cr3t-value"
    assert str(token) == "s3cr3t-value"
    assert hash(token) == hash("s3cr3t-value")


def test_its_repr_is_stars_also_inside_containers() -> None:
    token = Secret("s3cr3t-value", "token")
    assert repr(token) == "Secret('***')"
    assert "s3cr3t" not in repr({"token": [token]})


def test_what_is_made_of_it_is_masked() -> None:
    token = Secret("s3cr3t-value", "token")
    assert masking.mask(f"Bearer {token}") == "Bearer ***"


def test_a_short_one_is_still_hidden_in_its_repr() -> None:
    assert repr(Secret("abc", "pin")) == "Secret('***')"


@pytest.mark.parametrize("take", [copy.copy, copy.deepcopy, pickle.dumps])
def test_it_cannot_be_taken_away(take: object) -> None:
    token = Secret("s3cr3t-value", "token")
    assert callable(take)
    with pytest.raises(SecretError, match=r"the secret token cannot be (copied|pickled)") as caught:
        take(token)
    assert "s3cr3t" not in str(caught.value)

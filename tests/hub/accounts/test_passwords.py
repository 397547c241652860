"""Passwords: which are refused, and how they are kept."""

from __future__ import annotations

import pytest

from projects.hub.accounts import passwords
from projects.jobs.http.refusals import Invalid


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short", "has 5 characters: at least 10"),
        ("x" * 1025, "at most 1024"),
        ("aaaaaaaaaaaa", "tried first"),
        ("abababababab", "tried first"),
        ("Password123", "tried first"),
        ("Arabella2024!", "made of your name"),
        ("arabellaarabella", "made of your name"),
        ("abc\0defghijklm", "NUL"),
    ],
)
def test_passwords_that_are_guessed_easily_are_refused(password: str, said: str) -> None:
    with pytest.raises(Invalid, match=said) as caught:
        passwords.check(password, "arabella")
    assert password not in str(caught.value)


@pytest.mark.parametrize("password", ["correct horse", "пароль на море", "arabella likes tea"])
def test_others_are_taken(password: str) -> None:
    passwords.check(password, "arabella")


def test_a_hash_fits_its_password_only() -> None:
    kept = passwords.hash_of("correct horse")
    assert kept.startswith("$argon2id$")
    assert passwords.fits("correct horse", kept)
    assert not passwords.fits("correct hors", kept)
    assert kept != passwords.hash_of("correct horse")
    assert not passwords.is_old(kept)


def test_a_hash_is_computed_also_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    from argon2 import PasswordHasher

    verified = []
    real = PasswordHasher.verify

    def verify(self: PasswordHasher, kept: str, password: bytes) -> bool:
        verified.append(kept)
        return real(self, kept, password)

    monkeypatch.setattr(PasswordHasher, "verify", verify)
    assert not passwords.fits("", None)
    assert len(verified) == 1


def test_nonsense_in_the_database_fits_nothing() -> None:
    assert not passwords.fits("x", "nonsense")

"""Passwords: the rules for new ones, and their hashes.

Argon2id as RFC 9106 §4 recommends where memory is short: 64 MiB, 3 passes, 4 lanes.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING

from projects.jobs.http.refusals import Invalid

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 10, 1024
"""Characters of a password."""

_AT_ONCE = threading.Semaphore(2)
"""Each hash takes 64 MiB and a CPU: those who guess must not take all of them."""

_COMMON = """
    0123456789 1234567890 12345678910 123456789a 1q2w3e4r5t 1qaz2wsx3edc abcdefghij abcd123456
    administrator adminadmin changeme123 correcthorsebatterystaple football123 iloveyou123
    letmein123 letmeinplease logmein123 master1234 monkey1234 mypassword passw0rd123 password12
    password123 password1234 password12345 passwordpassword princess123 q1w2e3r4t5 qazwsxedcrfv
    qwerty1234 qwerty12345 qwertyuiop qwertzuiop secretsecret sunshine123 superman123 topgallant
    topgallant1 topgallant123 trustno1234 welcome123 welcome1234
    """


def check(password: str, name: str) -> None:
    """Refuse a new password that is guessed easily.

    Raises
    ------
    Invalid
        It is short, long, one character again and again, common, or made of the user's name.
    """
    plain = password.casefold()
    said = ""
    if len(password) < SHORTEST:
        said = f"has {len(password)} characters: at least {SHORTEST} are needed"
    elif len(password) > LONGEST:
        said = f"has {len(password)} characters: at most {LONGEST} are possible"
    elif "\0" in password:
        said = "holds a NUL character"
    elif plain in _COMMON.split() or len(set(plain)) < 4:  # noqa: PLR2004  (aaaa…, ababab…)
        said = "is one of those that are tried first: choose another"
    elif name and plain.replace(name, "").strip("0123456789!?._-") == "":
        said = "is made of your name: choose another"
    if said:
        raise Invalid(f"the password {said}", fields={"password": said})


def hash_of(password: str) -> str:
    """Return what is kept of a password."""
    with _AT_ONCE:
        return _hasher().hash(password.encode("utf-8", "surrogatepass"))


def fits(password: str, kept: str | None) -> bool:
    """Return whether a password is the one of which `kept` is kept; None is never fitted.

    It takes as long when there is none: the time tells nobody which names exist.
    """
    from argon2.exceptions import InvalidHashError, VerificationError

    with _AT_ONCE:
        try:
            _hasher().verify(
                kept or _of_nobody(), password[:LONGEST].encode("utf-8", "surrogatepass")
            )
        except (VerificationError, InvalidHashError):
            return False
    return kept is not None


def is_old(kept: str) -> bool:
    """Return whether a hash was made with other parameters than new ones are."""
    return _hasher().check_needs_rehash(kept)


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()


@cache
def _of_nobody() -> str:
    import secrets

    return _hasher().hash(secrets.token_bytes(16))

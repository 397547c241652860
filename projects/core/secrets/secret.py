"""The type of a value that must not be seen: usable as text, hidden wherever it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, Self, SupportsIndex

from projects.core.errors import SecretError
from projects.core.secrets.masking import STARS, register

if TYPE_CHECKING:
    from collections.abc import Mapping


class Secret(str):
    """A text that is masked everywhere as soon as it exists; `name` says whose it is in reports.

    Used as a string it is the value: `f"Bearer {token}"` works, and what is made from it is
    masked wherever it leaves the program. Its repr is `Secret('***')`; pickling and copying
    raise a SecretError, as a copy in a cache or in another process would outlive the masking.
    """

    __slots__ = ("name",)

    name: str

    def __new__(cls, value: str, name: str = "") -> Self:
        """Make the secret and register `value` for masking."""
        secret = super().__new__(cls, value)
        secret.name = name
        register(str(value), name)
        return secret

    def __repr__(self) -> str:
        return f"Secret({STARS!r})"

    def __copy__(self) -> NoReturn:
        raise self._refusal("copied")

    def __deepcopy__(self, memo: Mapping[int, object]) -> NoReturn:
        raise self._refusal("copied")

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise self._refusal("pickled")

    def _refusal(self, verb: str) -> SecretError:
        whose = f"the secret {self.name}" if self.name else "a secret"
        return SecretError(f"{whose} cannot be {verb}; pass its name and read it where it is used")

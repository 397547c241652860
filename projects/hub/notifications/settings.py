"""`notifications.json` in the data directory: what the hub itself sends with."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from projects.core.errors import ConfigurationError, unknown
from projects.core.secrets.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FILE = "notifications.json"
_MOST = 1 << 20
_KEYS = {"url": str, "allow_private": bool, "mail": dict, "github": dict}
_TLS = ("starttls", "tls", "none")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail server; `to` are patterns of addresses that mail may be sent to."""

    host: str
    sender: str
    to: Sequence[str]
    port: int = 587
    user: str = ""
    password: str = ""
    tls: str = "starttls"
    ca: str = ""


@dataclass(frozen=True, slots=True)
class GitHub:
    """A token that writes comments in `repositories`, patterns of `owner/name`."""

    token: str
    repositories: Sequence[str]
    api: str = "https://api.github.com"


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it; `url` is where people find the hub, for links."""

    url: str = ""
    allow_private: bool = False
    mail: Mail | None = None
    github: GitHub | None = None


def allowed(patterns: Sequence[str], name: str) -> bool:
    """Return whether a name fits one of the patterns, whatever its case."""
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


def read_settings(path: Path) -> Settings:
    """Return what a file sets; without a file there are only webhooks.

    Raises
    ------
    ConfigurationError
        It isn't such a file, or others than its owner may read it.
    """
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise ConfigurationError(f"{path} has secrets: chmod 600 {path}")
            values = json.loads(file.read(_MOST))
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path}: {error}") from None
    _check(path, "", values, _KEYS)
    mail, github = values.get("mail"), values.get("github")
    return Settings(
        values.get("url", "").rstrip("/"),
        values.get("allow_private", False),
        None if mail is None else _mail(path, mail),
        None if github is None else _github(path, github),
    )


def _mail(path: Path, values: dict[str, Any]) -> Mail:
    keys = dict.fromkeys(("host", "from", "user", "password", "tls", "ca"), str)
    _check(path, "mail", values, {**keys, "port": int, "to": list}, ("host", "from", "to"))
    if values.get("tls", "starttls") not in _TLS:
        raise ConfigurationError(f"{path}: mail.tls is one of {', '.join(_TLS)}")
    if values.get("tls") == "none" and values.get("password"):
        raise ConfigurationError(f"{path}: a password isn't sent without TLS")
    if values.get("password"):
        values["password"] = Secret(values["password"], "mail password")
    values["sender"] = values.pop("from")
    return Mail(**values)


def _github(path: Path, values: dict[str, Any]) -> GitHub:
    keys = {"token": str, "api": str, "repositories": list}
    _check(path, "github", values, keys, ("token", "repositories"))
    values["token"] = Secret(values["token"], "GitHub token")
    return GitHub(**values)


def _check(
    path: Path, where: str, values: Any, keys: Mapping[str, type], needed: Sequence[str] = ()
) -> None:
    dot = f"{where}." if where else ""
    if not isinstance(values, dict):
        raise ConfigurationError(f"{path}: an object is wanted{' in ' + where if where else ''}")
    for key, value in values.items():
        if key not in keys:
            raise ConfigurationError(
                f"{path}: {unknown('key', dot + key, [dot + k for k in keys])}"
            )
        good = type(value) is keys[key]
        if not good or (isinstance(value, list) and not all(isinstance(v, str) for v in value)):
            raise ConfigurationError(f"{path}: {dot}{key} is wrong: {keys[key].__name__} is wanted")
    missing = [dot + key for key in needed if not values.get(key)]
    if missing:
        raise ConfigurationError(f"{path}: {', '.join(missing)} needed")

"""The directory that holds secrets, one per file, found through an environment variable."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from projects.core.errors import SecretError, unknown
from projects.core.secrets.masking import register
from projects.core.secrets.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST = 1024 * 1024
"""Bytes; no secret file is longer."""


def open_directory(env_key: str, name: str, environ: Mapping[str, str]) -> SecretsDirectory:
    """Return the directory that `environ[env_key]` names; `name` is what people call it.

    Errors
    ------
    SecretError
        The variable isn't set, or what it names is no directory.
    """
    given = environ.get(env_key, "")
    called = f'the secrets "{name}"'
    if not given:
        raise SecretError(f"{called}: set {env_key} to the directory that holds them")
    root = Path(given).expanduser()
    if not root.is_dir():
        what = "is no directory" if root.exists() else "does not exist"
        raise SecretError(f"{called}: {env_key}={given} {what}")
    return SecretsDirectory(name, root)


@dataclass(frozen=True, slots=True)
class SecretsDirectory:
    """Secret files below `root`; `name` is for messages."""

    name: str
    root: Path

    def read(self, file_name: str) -> Secret:
        """Return the text of a file, white space around it stripped.

        Errors
        ------
        SecretError
            No such file, a path that leaves the directory, more than MOST bytes, not UTF-8.
        """
        real_root = os.path.realpath(self.root)
        path = os.path.realpath(os.path.join(real_root, file_name))
        if os.path.commonpath([real_root, path]) != real_root:
            raise SecretError(f'"{file_name}" leads out of the directory {self.root}')
        if not os.path.exists(path):
            raise SecretError(f"{self.root}: {unknown('secret file', file_name, self.names())}")
        if not os.path.isfile(path):
            raise SecretError(f"{self.root}/{file_name} is no regular file")
        data = self._data(path)
        if len(data) > MOST:
            raise SecretError(f"{self.root}/{file_name} has more than {MOST} bytes")
        try:
            return Secret(data.decode().strip(), file_name)
        except UnicodeDecodeError as error:
            raise SecretError(
                f"{self.root}/{file_name} is not UTF-8 text: {error.reason}"
            ) from None

    def register_all(self) -> int:
        """Register every file for masking and return how many; binary and longer ones don't count.

        Errors
        ------
        SecretError
            A file cannot be read: what is in it could not be hidden.
        """
        count = 0
        for file_name in self.names():
            data = self._data(os.path.join(self.root, file_name))
            try:
                text = data.decode() if len(data) <= MOST else ""
            except UnicodeDecodeError:
                continue
            if text.strip() and "\0" not in text:
                register(text, file_name)
                count += 1
        return count

    def fingerprint(self) -> str:
        """Return a line `sha256  name` for every file, as sha256sum writes it, sorted by name."""
        from hashlib import file_digest

        lines = []
        for file_name in self.names():
            try:
                with open(os.path.join(self.root, file_name), "rb") as file:
                    digest = file_digest(file, "sha256").hexdigest()
            except OSError as error:
                raise SecretError(f"{error.filename}: {error.strerror}") from None
            lines.append(f"{digest}  {file_name}\n")
        return "".join(lines)

    def names(self) -> list[str]:
        """Return the paths of the files relative to the directory, sorted.

        Kubernetes mounts a volume through links into `..data`; only the links are listed.
        """
        return sorted(self._walk(""))

    def _walk(self, below: str) -> Iterator[str]:
        try:
            entries = list(os.scandir(os.path.join(self.root, below)))
        except OSError as error:
            raise SecretError(f"{error.filename}: {error.strerror}") from None
        for entry in entries:
            relative = os.path.join(below, entry.name)
            if entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith(".."):
                    yield from self._walk(relative)
            elif entry.is_file() and not entry.name.startswith("..data"):
                yield relative

    @staticmethod
    def _data(path: str) -> bytes:
        """Return at most MOST + 1 bytes of a file."""
        try:
            with open(path, "rb", opener=_open_regular) as file:
                return file.read(MOST + 1)
        except OSError as error:
            raise SecretError(f"{path}: {error.strerror}") from None


def _open_regular(path: str, flags: int) -> int:
    """Open without waiting for a writer where a pipe took the file's place."""
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "is no regular file", path)
    return descriptor

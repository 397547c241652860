"""The secrets directory gives files, registers them, and says what is missing."""

from __future__ import annotations

import hashlib
import os
import re
from typing import TYPE_CHECKING

import pytest

from projects.core.errors import SecretError
from projects.core.secrets import masking
from projects.core.secrets.directory import MOST, SecretsDirectory, open_directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def nothing_registered() -> Iterator[None]:
    masking.forget_all()
    yield
    masking.forget_all()


def opened(root: Path) -> SecretsDirectory:
    return open_directory("MY_SECRETS", "my-secrets", {"MY_SECRETS": str(root)})


def test_an_unset_variable_is_named() -> None:
    with pytest.raises(SecretError, match='the secrets "my-secrets": set MY_SECRETS to'):
        open_directory("MY_SECRETS", "my-secrets", {})


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match=r"MY_SECRETS=.*/nowhere does not exist"):
        opened(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(SecretError, match=r"MY_SECRETS=.*/file is no directory"):
        opened(tmp_path / "file")


def test_a_file_is_read_stripped_and_masked(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("  s3cr3t-value\n")
    secret = opened(tmp_path).read("token")
    assert secret == "s3cr3t-value"
    assert secret.name == "token"
    assert masking.mask("<s3cr3t-value>") == "<***>"


def test_an_unknown_file_gets_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "slack-token").write_text("s3cr3t-value")
    with pytest.raises(SecretError, match='unknown secret file "slack_token"; did you mean "slack'):
        opened(tmp_path).read("slack_token")


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "link"])
def test_a_path_may_not_leave_the_directory(tmp_path: Path, name: str) -> None:
    root = tmp_path / "secrets"
    root.mkdir()
    (tmp_path / "outside").write_text("s3cr3t-value")
    (root / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(SecretError, match="leads out of the directory"):
        opened(root).read(name)


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"a" * (MOST + 1), "more than 1048576 bytes"), (b"\xff\xfeabc", "is not UTF-8 text")],
)
def test_what_is_no_secret_text_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "token").write_bytes(data)
    with pytest.raises(SecretError, match=said):
        opened(tmp_path).read("token")


def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "token")
    with pytest.raises(SecretError, match="is no regular file"):
        opened(tmp_path).read("token")


def test_all_files_are_registered_also_those_of_a_kubernetes_volume(tmp_path: Path) -> None:
    (tmp_path / "..2024").mkdir()
    (tmp_path / "..2024" / "token").write_text("mounted-value")
    (tmp_path / "..data").symlink_to("..2024")
    (tmp_path / "token").symlink_to("..data/token")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "key").write_text("deep-value")
    (tmp_path / "empty").touch()
    (tmp_path / "image.bin").write_bytes(b"\0\1\2\3\4\5")
    (tmp_path / "big").write_bytes(b"b" * (MOST + 1))
    os.mkfifo(tmp_path / "pipe")
    directory = opened(tmp_path)
    assert directory.names() == ["big", "deep/key", "empty", "image.bin", "token"]
    assert directory.register_all() == 2
    assert masking.mask("mounted-value, deep-value") == "***, ***"


def test_the_fingerprint_is_what_sha256sum_prints(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).write_text(f"value {name}")
    lines = [f"{hashlib.sha256(f'value {name}'.encode()).hexdigest()}  {name}" for name in "ab"]
    assert opened(tmp_path).fingerprint().splitlines() == lines


def test_errors_show_no_value(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"s3cr3t-value\xff")
    with pytest.raises(SecretError) as caught:
        opened(tmp_path).read("token")
    assert not re.search("s3cr3t", str(caught.value))
    assert caught.value.__cause__ is None

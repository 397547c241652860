from __future__ import annotations

import threading
from pathlib import Path

import pytest

from projects.core.artifacts import directory
from projects.core.commands import session
from projects.core.commands.session import Words
from projects.core.library import env


def test_the_artifact_directory_follows_the_context() -> None:
    with session.opened(Words("shop", "test_ci")) as run:
        assert run.place.path == env.ARTIFACT_DIR
        with env.NextArtifactDir("a") as inner:
            assert env.ARTIFACT_DIR == inner == run.place.path / "000__a"
        assert run.place.path == env.ARTIFACT_DIR


def test_a_plain_thread_sees_the_directory_of_the_main_thread() -> None:
    seen: list[Path] = []
    with session.opened(Words("shop", "test_ci")), env.NextArtifactDir("a") as inner:
        thread = threading.Thread(target=lambda: seen.append(env.ARTIFACT_DIR))
        thread.start()
        thread.join()
    assert seen == [inner]


def test_init_without_a_run_makes_a_directory_once() -> None:
    try:
        first = env.init()
        assert first.is_dir()
        assert env.init() == first == env.ARTIFACT_DIR
    finally:
        directory.set_run_root(None)


def test_an_attribute_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'ARTIFACT_DIRECTORY'"):
        _ = env.ARTIFACT_DIRECTORY
    assert not hasattr(env, "anything")

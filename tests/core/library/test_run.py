from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from projects.core import errors
from projects.core.commands import session
from projects.core.commands.session import Words
from projects.core.library import config, env, run

WORDS = Words("shop", "test_ci")


def test_a_command_is_run_by_bash_with_the_safety_flags() -> None:
    with session.opened(WORDS):
        with pytest.raises(subprocess.CalledProcessError):
            run.run("false | true; echo not reached")
        with pytest.raises(errors.CommandFailed, match="unbound"):
            run.run("echo $not_set_anywhere")
        done = run.run("false | true; echo reached", protect_shell=False, capture_stdout=True)
    assert done.stdout == "reached\n"


def test_a_command_finds_the_artifact_directory_of_its_context_and_the_configuration(
    shop: Path,
) -> None:
    with session.opened(WORDS):
        config.init(shop)
        with env.NextArtifactDir("inner") as inner:
            got = run.run(
                'echo "$ARTIFACT_DIR"; head -1 "$TOPGALLANT_FROM_CONFIG_FILE"', capture_stdout=True
            )
    assert got.stdout.splitlines() == [str(inner), f"{config.RESOLVED}shop"]


def test_a_toolbox_command_is_called_with_the_arguments_of_the_template(shop: Path) -> None:
    (shop / "command_args.yaml.j2").write_text(
        'skeleton_target measure:\n  seconds: 0.01\n  _note: "{{ tests.name }}"\n'
    )
    with session.opened(WORDS):
        config.init(shop)
        show = run.run_toolbox_from_config("skeleton_target", "measure", show_args=True)
        assert show == {"seconds": 0.01, "_note": "default"}
        assert run.run_toolbox_from_config("skeleton_target", "measure", show_args="seconds")
        with pytest.raises(errors.UsageError, match="unknown parameter"):
            run.run_toolbox_from_config(
                "skeleton_target", "measure", extra={"second": 1}, artifact_dir_suffix="_x"
            )


def test_the_first_exception_of_a_chain_is_kept_and_the_others_are_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(text: str) -> None:
        raise ValueError(text)

    ran: list[str] = []
    exc = run.run_and_catch(None, fail, "first")
    exc = run.run_and_catch(exc, fail, "second")
    exc = run.run_and_catch(exc, ran.append, "third")
    assert str(exc) == "first"
    assert ran == ["third"]
    assert "ValueError: second" in caplog.text
    assert exc is not None
    assert "second" in exc.__notes__[0]


def test_an_interruption_is_not_caught_by_a_chain() -> None:
    def stop() -> None:
        raise errors.Interrupted(2)

    with pytest.raises(errors.Interrupted):
        run.run_and_catch(None, stop)


def test_the_failure_of_a_parallel_is_caught_by_a_chain() -> None:
    def fail() -> None:
        raise ValueError("one of many")

    def prepare() -> None:
        with run.Parallel("prepare") as parallel:
            parallel.delayed(fail)

    with session.opened(WORDS):
        assert isinstance(run.run_and_catch(None, prepare), errors.ParallelFailed)


def test_lists_of_the_configuration_span_a_matrix_and_are_put_back(shop: Path) -> None:
    points: list[tuple[int, str, str]] = []

    def point(extra: str) -> None:
        get = config.project.get_config
        points.append((get("tests.sizes"), get("tests.kinds"), extra))

    with session.opened(WORDS):
        config.init(shop)
        run.run_iterable_fields(["tests.sizes", "tests.kinds", "tests.users"], point, extra="x")
        assert points == [(1, "a", "x"), (1, "b", "x"), (10, "a", "x"), (10, "b", "x")]
        assert config.project.get_config("tests.sizes") == [1, 10]

        def fail() -> None:
            raise RuntimeError

        with pytest.raises(RuntimeError):
            run.run_iterable_fields(["tests.sizes"], fail)
        assert config.project.get_config("tests.sizes") == [1, 10]


def test_an_empty_axis_is_an_error_rather_than_a_run_of_nothing(shop: Path) -> None:
    with session.opened(WORDS):
        config.init(shop)
        config.project.set_config("tests.sizes", [])
        with pytest.raises(errors.ConfigurationError, match=r"tests\.sizes is an empty list"):
            run.run_iterable_fields(["tests.sizes"], print)

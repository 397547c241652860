#!/usr/bin/env python
# A test.py in the style of TOPSAIL: its own decorator, its own init, siblings, Fire at the end.
import functools
import logging
import os
import pathlib
import subprocess
import sys

import fire

from projects.core.library import env, config, run, configure_logging, export

configure_logging()

import prepare_things

TESTING_THIS_DIR = pathlib.Path(__file__).absolute().parent
SECRET_PATH = pathlib.Path(os.environ.get("THINGS_SECRET_PATH", "/env/not_set"))
initialized = False


def init(ignore_secret_path=False, apply_preset_from_pr_args=True):
    global initialized
    if initialized:
        return
    initialized = True

    env.init()
    config.init(TESTING_THIS_DIR, apply_preset_from_pr_args)

    if not ignore_secret_path:
        if not SECRET_PATH.exists():
            raise RuntimeError(f"Path '{SECRET_PATH}' does not exist")
        run.run(f"sha256sum {SECRET_PATH}/* > '{env.ARTIFACT_DIR}/secrets.sha256sum'")


def entrypoint(ignore_secret_path=False, apply_preset_from_pr_args=True):
    def decorator(fct):
        @functools.wraps(fct)
        def wrapper(*args, **kwargs):
            init(ignore_secret_path, apply_preset_from_pr_args)
            return fct(*args, **kwargs)

        return wrapper

    return decorator


@entrypoint()
def prepare_ci():
    """
    Prepares the things
    """

    prepare_things.prepare()


@entrypoint(ignore_secret_path=True)
def test_ci():
    """
    Runs the test from the CI
    """

    with env.NextArtifactDir("test_things"):
        prepare_things.prepare()
        run.run_toolbox_from_config("things", "count", prefix="main", suffix="all")
        run.run("echo \"$ARTIFACT_DIR\" > $ARTIFACT_DIR/where")
        config.project.set_config("tests.done", True)


@entrypoint(ignore_secret_path=True, apply_preset_from_pr_args=False)
def export_artifacts(artifacts_dirname):
    export.export_artifacts(artifacts_dirname)


class Entrypoint:
    """
    Commands for launching the CI tests
    """

    def __init__(self):
        self.prepare_ci = prepare_ci
        self.test_ci = test_ci
        self.export_artifacts = export_artifacts


def main():
    # Print help rather than opening a pager
    fire.core.Display = lambda lines, out: print(*lines, file=out)

    fire.Fire(Entrypoint())


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as e:
        logging.error(f"Command '{e.cmd}' failed --> {e.returncode}")
        sys.exit(1)
    except KeyboardInterrupt:
        print()
        logging.error("Interrupted.")
        sys.exit(1)

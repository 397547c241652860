"""A project whose entrypoints do what a test should not do."""

import base64
import json
import logging
import os
import shlex
import sys
import threading
import urllib.parse

from projects.core.library import config, env, export, run
from projects.core.library.entrypoint import entrypoint

@entrypoint(ignore_secret_path=True)
def test_ci():
    """Count from the configuration."""
    run.run_toolbox_from_config("hammer", "count")


@entrypoint(ignore_secret_path=True)
def fail_ci(how: str):
    """Count, then fail in some way."""
    run.run_toolbox("hammer", "count", number=1)
    run.run_toolbox("hammer", "fail", how=how)


@entrypoint(ignore_secret_path=True)
def use_ci(what: str):
    """Use the library in a way that does not work."""
    run.run_toolbox("hammer", "count", number=1)
    if what == "key":
        config.project.get_config("tests.cuont")
    elif what == "set":
        config.project.set_config("tests.cuont", 1)
    elif what == "argument":
        run.run_toolbox("hammer", "count", number="two")
    elif what == "parameter":
        run.run_toolbox("hammer", "count", nunber=2)
    elif what == "command":
        run.run_toolbox("hammer", "cuont")
    elif what == "other":
        config.project.get_config("other.value")
    elif what == "secret":
        config.project.get_config("tests.token")
    elif what == "preset":
        config.project.apply_preset("quikc")


@entrypoint()
def secret_ci():
    """Show the secret in every way there is, then fail with it."""
    token = config.project.get_config("tests.token", handled_secretly=True)
    forms = [
        token,
        base64.b64encode(token.encode()).decode(),
        base64.b64encode(b"user:" + token.encode()).decode(),
        urllib.parse.quote(token, safe=""),
        repr(str(token)),
        json.dumps({"token": token}),
    ]
    for form in forms:
        print("printed", form)
        print("printed to stderr", form, file=sys.stderr)
        logging.getLogger("hostile").warning("logged %s", form)
        run.run(["printf", "%s\n", form])
        run.run(f"printf '%s\n' {shlex.quote(form)} >&2")
    run.run('cat "$HOSTILE_SECRET_PATH/token" "$HOSTILE_SECRET_PATH/kubeconfig"')
    run.run('base64 < "$HOSTILE_SECRET_PATH/kubeconfig"')
    for half in (token[:5], token[5:]):  # in two pieces, as a slow child writes
        print(half, end="", flush=True)
    print()
    run.run('read -r t < "$HOSTILE_SECRET_PATH/token"; printf "${t:0:5}"; sleep 0.1; printf "${t:5}"')
    run.run_toolbox("hammer", "show", text=str(token), artifact_dir_suffix=f"_{token}")
    assert run.run(["printf", "%s", token], capture_stdout=True).stdout == token
    config.project.set_config("tests.label", str(token))
    with run.Parallel(f"show {token}") as parallel:
        parallel.delayed(_fail_with, token)
        parallel.delayed(_fail_with, forms[1])


def _fail_with(text):
    try:
        run.run(["sh", "-c", 'echo "$1"; echo "$1" >&2; exit 3', "sh", text])
    except Exception as error:
        raise KeyError(text) from error


@entrypoint()
def smuggle_ci():
    """Write the secret past the toolkit, then export."""
    run.run('base64 -w 0 < "$HOSTILE_SECRET_PATH/token" > "$ARTIFACT_DIR/notes.txt"')
    export.export_artifacts(env.ARTIFACT_DIR)


@entrypoint(ignore_secret_path=True)
def parallel_ci(bad: str = ""):
    """Run nails side by side, one of which ignores SIGTERM unless another is `bad`."""
    trap = "trap : TERM;" if bad else "trap '' TERM;"
    try:
        with run.Parallel("nails", exit_on_exception=True) as parallel:
            parallel.delayed(_nail, "soft", "sleep 1000")
            parallel.delayed(_nail, "hard", f"{trap} echo trapped; sleep 1000; sleep 1000")
            parallel.delayed(_nail, "bad", "sleep 1000", bad)
    finally:
        run.run("echo the cleanup has run")
        export.export_artifacts(env.ARTIFACT_DIR)


def _nail(name, command, bad=""):
    try:
        run.run(["touch", env.ARTIFACT_DIR / "ready"])
        if bad:
            run.run(f'until [ "$(ls -d "{env.ARTIFACT_DIR}"/../*/ready | wc -l)" = 3 ]; do :; done')
            raise ValueError(bad)
        run.run(command)
    finally:
        run.run(f"echo {name} was put away")


@entrypoint(ignore_secret_path=True)
def all_fail_ci():
    """Fail three times at once."""
    with run.Parallel("all_fail") as parallel:
        barrier = threading.Barrier(3)
        for number in range(3):
            parallel.delayed(_raise, number, barrier)


def _raise(number, barrier):
    barrier.wait()
    raise ValueError(f"number {number}")


@entrypoint(ignore_secret_path=True)
def wait_ci():
    """Wait until there is a file `go`."""
    (env.ARTIFACT_DIR / "waiting").touch()
    run.run('until [ -e "$ARTIFACT_DIR/go" ]; do sleep 0.02; done')


@entrypoint(ignore_secret_path=True)
def kill_ci():
    """Call commands until nobody lets us."""
    while True:
        run.run_toolbox("hammer", "count", number=1)


@entrypoint(ignore_secret_path=True)
def stdin_ci():
    """Read what there is to read."""
    print("read", repr(sys.stdin.read() if sys.stdin else None))
    run.run("cat; echo no more")

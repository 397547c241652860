"""The one command from a bare checkout: how it finds, makes and remakes its environment.

A checkout of a few files, a lock with one wheel of ours, and pip kept from any index.
"""

import base64
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYTHON = getattr(sys, "_base_executable", sys.executable)
PROBE = '''"""Say where we are."""
import sys

def where():
    """Say it."""
    import sails
    return [sys.prefix, sails.VERSION]
where.__topgallant_query__ = True
'''


def make_wheel(folder: Path, version: str) -> str:
    """Make sails-VERSION, which stands in for all packages; return its line for a lock."""
    code = f"VERSION = {version!r}\n"
    info = f"sails-{version}.dist-info"
    files = {
        "sails.py": code,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: sails\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = [f"{info}/RECORD,,"]
    path = folder / f"sails-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
            lines.append(f"{name},sha256={digest.decode()},{len(text)}")
        wheel.writestr(f"{info}/RECORD", "\n".join(lines) + "\n")
    digest_of_all = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"sails=={version} \\\n    --hash=sha256:{digest_of_all}\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return make_checkout(tmp_path)


def make_checkout(tmp_path: Path) -> Path:
    """Copy what the command needs, with a toolbox command that says where it runs."""
    root = tmp_path / "checkout"
    shutil.copytree(
        ROOT / "projects/core",
        root / "projects/core",
        ignore=shutil.ignore_patterns("__pycache__", "toolbox"),
    )
    shutil.copy(ROOT / "projects/__init__.py", root / "projects/__init__.py")
    shutil.copy(ROOT / "run_toolbox.py", root / "run_toolbox.py")
    (root / "projects/probe/toolbox").mkdir(parents=True)
    (root / "projects/probe/toolbox/probe.py").write_text(PROBE)
    (tmp_path / "wheels").mkdir()
    (root / "requirements.lock").write_text(make_wheel(tmp_path / "wheels", "1.0"))
    # Fire stands in for itself: the environment made here has only our wheel.
    (root / "fire").mkdir()
    (root / "fire/__init__.py").write_text("")
    (root / "fire/core.py").write_text(
        "def Fire(component, command, name):\n"
        "    for word in command:\n        component = component[word]\n    component()\n"
    )
    shutil.copytree(_package("yaml"), root / "yaml")
    return root


def _package(name: str) -> Path:
    import yaml

    assert name == "yaml"
    return Path(yaml.__file__).parent


def environ(checkout: Path, **more: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(checkout.parent),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(checkout.parent / "wheels"),
        **more,
    }


def call(
    checkout: Path, *words: str, status: int = 0, python: str = PYTHON, **more: str
) -> subprocess.CompletedProcess[str]:
    command = [python, str(checkout / "run_toolbox.py"), *words]
    done = subprocess.run(
        command, env=environ(checkout, **more), capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr
    return done


def leftovers(checkout: Path) -> list[str]:
    return sorted(path.name for path in checkout.glob(".venv*"))


def test_version_overview_and_completion_need_no_environment(checkout: Path) -> None:
    assert call(checkout, "--version").stdout.startswith("topgallant ")
    assert "probe  Say where we are." in call(checkout).stdout
    assert call(checkout, "--help").stdout == call(checkout).stdout
    assert "complete" in call(checkout, "completion", "bash").stdout
    assert call(checkout, "--complete", "zsh", "pro").stdout == "project\nprobe\n"
    assert 'did you mean "probe"' in call(checkout, "prboe", status=2).stderr
    assert leftovers(checkout) == []


@pytest.fixture(scope="module")
def first_call(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A checkout after its first call, and what that printed to stdout and stderr."""
    root = make_checkout(tmp_path_factory.mktemp("made"))
    done = call(root, "probe", "where")
    return root, done.stdout, done.stderr


@pytest.fixture
def made(checkout: Path, first_call: tuple[Path, str, str]) -> Path:
    """A checkout with a copy of that environment; making one takes seconds."""
    shutil.copytree(first_call[0] / ".venv", checkout / ".venv", symlinks=True)
    return checkout


def test_the_first_call_makes_it_and_the_second_uses_it(
    first_call: tuple[Path, str, str],
) -> None:
    root, out, err = first_call
    assert out == f"- {root}/.venv\n- '1.0'\n"
    assert err.splitlines()[0].startswith("Making the environment ")
    second = call(root, "probe", "where")
    assert (second.stdout, second.stderr) == (out, "")
    assert leftovers(root) == [".venv", ".venv.lock"]
    assert (root / ".venv/bin/pip").read_text().startswith(f"#!{root}/.venv/bin/python")
    assert call(root, "probe", "where", python=str(root / ".venv/bin/python")).stderr == ""


def test_a_changed_lock_makes_it_again(made: Path) -> None:
    checkout = made
    lock = make_wheel(checkout.parent / "wheels", "2.0")
    (checkout / "requirements.lock").write_text(lock)
    inside = str(checkout / ".venv/bin/python")
    assert call(checkout, "probe", "where", python=inside).stdout.endswith("- '2.0'\n")
    assert leftovers(checkout) == [".venv", ".venv.lock"]


def test_an_unreachable_index_is_one_message_and_nothing_is_left(checkout: Path) -> None:
    done = call(checkout, "probe", "where", status=2, PIP_FIND_LINKS="/nowhere")
    assert "error: installing the packages failed" in done.stderr
    assert "No matching distribution found for sails==1.0" in done.stderr
    assert "Traceback" not in done.stderr
    assert leftovers(checkout) == [".venv.lock"]


def test_an_interrupted_build_is_cleared_and_done_again(checkout: Path) -> None:
    process = subprocess.Popen(
        [PYTHON, str(checkout / "run_toolbox.py"), "probe", "where"],
        env=environ(checkout),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr
    process.stderr.readline()  # "Making the environment …"
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    (checkout / ".venv.1.new").mkdir(exist_ok=True)
    assert not (checkout / ".venv").exists()
    call(checkout, "probe", "where")
    assert leftovers(checkout) == [".venv", ".venv.lock"]


def test_control_c_leaves_nothing_half_made(checkout: Path) -> None:
    process = subprocess.Popen(
        [PYTHON, str(checkout / "run_toolbox.py"), "probe", "where"],
        env=environ(checkout),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr
    process.stderr.readline()
    os.killpg(process.pid, signal.SIGINT)
    errors = process.communicate()[1]
    assert process.returncode == 130
    assert errors.endswith("interrupted\n")
    assert leftovers(checkout) == [".venv.lock"]


def test_two_that_start_at_once_make_one_where_it_is_asked_for(checkout: Path) -> None:
    place = checkout.parent / "elsewhere"
    command = [PYTHON, str(checkout / "run_toolbox.py"), "probe", "where"]
    started = [
        subprocess.Popen(
            command,
            env=environ(checkout, TOPGALLANT_VENV=str(place)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    done = [process.communicate() for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert [out.splitlines()[0] for out, _ in done] == [f"- {place}"] * 2
    assert leftovers(checkout) == []
    assert sum("Making the environment" in err for _, err in done) == 1


def test_an_environment_of_developers_is_kept(checkout: Path) -> None:
    subprocess.run([PYTHON, "-m", "venv", checkout / ".venv"], check=True)
    (checkout / ".venv/mine").write_text("")
    added = call(checkout, "probe", "where")
    assert "Adding what is missing" in added.stderr
    (checkout / ".venv/topgallant.stamp").unlink()
    assert call(checkout, "probe", "where").stderr == ""  # a look says that it holds everything
    assert (checkout / ".venv/mine").exists()


def test_an_exchanged_python_makes_it_again(made: Path) -> None:
    stamp = made / ".venv/topgallant.stamp"
    stamp.write_text("3.9\n" + stamp.read_text().partition("\n")[2])
    assert "Making the environment" in call(made, "probe", "where").stderr


def test_a_folder_that_is_no_environment_is_left_alone(checkout: Path) -> None:
    (checkout / ".venv").mkdir()
    (checkout / ".venv/notes").write_text("")
    done = call(checkout, "probe", "where", status=2)
    assert "is no environment of Python 3.11 or newer; move it away" in done.stderr
    assert (checkout / ".venv/notes").exists()


def test_old_pythons_are_told_what_is_needed() -> None:
    code = (
        "import sys; sys.version_info = (3, 9, 1); sys.argv = ['run_toolbox.py'];"
        f"exec(compile(open({str(ROOT / 'run_toolbox.py')!r}).read(), 'run_toolbox.py', 'exec'),"
        f" {{'__name__': '__main__', '__file__': {str(ROOT / 'run_toolbox.py')!r}}})"
    )
    done = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("Python >= 3.11 is needed, this is 3.9.1")


def test_the_file_keeps_to_what_old_pythons_parse() -> None:
    import ast

    tree = ast.parse((ROOT / "run_toolbox.py").read_text(), feature_version=(3, 4))
    for node in ast.walk(tree):
        assert not isinstance(node, ast.JoinedStr | ast.AnnAssign | ast.NamedExpr)
        if isinstance(node, ast.FunctionDef):
            assert node.returns is None
            assert all(argument.annotation is None for argument in node.args.args)

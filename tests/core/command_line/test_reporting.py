"""Every kind of exception becomes a message and a status."""

import signal
import subprocess

import pytest

from projects.core import errors
from projects.core.command_line.reporting import report


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (errors.UsageError("no"), 2, "error: no\n"),
        (errors.ConfigurationError("no", where=errors.Mark("f", 1, 2)), 2, "error: f:1:2: no\n"),
        (errors.NoResults("nothing"), 3, "error: nothing\n"),
        (errors.DeadlineExceeded("late"), 124, "error: late\n"),
        (RuntimeError("slow\nby 3 %"), 1, "error: RuntimeError: slow\nby 3 %\n"),
        (AssertionError("slow"), 1, "error: AssertionError: slow\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (errors.Interrupted(signal.SIGTERM), 143, "interrupted\n"),
        (SystemExit(0), 0, ""),
        (SystemExit(5), 5, ""),
        (SystemExit("bye"), 1, "bye\n"),
        (KeyError("a"), 2, "error: KeyError: 'a' (--debug shows the traceback)\n"),
        (
            ExceptionGroup("two", [RuntimeError("a"), RuntimeError("a"), RuntimeError("b")]),
            1,
            "error: RuntimeError: a\nerror: RuntimeError: b\n",
        ),
        (
            subprocess.CalledProcessError(3, "false"),
            1,
            "error: CalledProcessError: Command 'false' returned non-zero exit status 3.\n",
        ),
    ],
)
def test_report(
    error: BaseException, status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(error) == status
    assert capsys.readouterr() == ("", message)


@pytest.mark.parametrize("kind", [RuntimeError, AssertionError, TimeoutError, ValueError])
def test_an_ordinary_exception_says_its_type_and_its_place(
    kind: type[Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(kind) as caught:
        raise kind("two is broken")
    report(caught.value)
    line = caught.tb.tb_lineno
    said = capsys.readouterr().err
    assert said.startswith(f"error: {kind.__name__}: two is broken [{__file__}:{line}]")

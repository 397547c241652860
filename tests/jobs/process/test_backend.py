from __future__ import annotations

import os
import signal
import stat
import threading
import time
from pathlib import Path

import pytest

from projects.jobs.process.backend import ProcessBackend
from projects.jobs.process.orders import Ended, ProcessLimits
from tests.jobs.process.house import House, processes_of


def test_a_job_ends_with_its_exit_code_and_what_it_took(house: House) -> None:
    end = house.perform(house.sh(1, "exit 7"))
    assert (end.exit_code, end.signal, end.reason, end.notes) == (7, None, "exit", ())
    assert end.usage is not None
    assert end.usage.wall > 0
    assert end.usage.cpu > 0
    assert end.usage.peak_memory > 0


def test_a_job_ended_by_a_signal_tells_which(house: House) -> None:
    end = house.perform(house.sh(1, "kill -USR1 $$"))
    assert (end.exit_code, end.signal) == (None, signal.SIGUSR1)


def test_what_it_prints_is_appended_to_its_logs(house: House) -> None:
    house.perform(house.sh(1, "echo one; echo two >&2"))
    house.perform(house.sh(1, "echo three"))
    house.until(lambda: len([r for r in house.reports if isinstance(r, Ended)]) == 2)
    assert house.log(1) == b"one\nthree\n"
    assert house.log(1, "stderr.log") == b"two\n"


def test_without_logs_no_file_comes_into_being(house: House) -> None:
    house.perform(house.sh(1, "echo one", stdout=None, stderr=None))
    assert list((house.root / "logs" / "1").iterdir()) == []


def test_a_job_has_its_environment_and_its_mark_and_nothing_else(house: House) -> None:
    order = house.order(1, "/usr/bin/env", env={"PATH": "/bin", "X": "é\n=", "HOUSE": "no"})
    house.perform(order)
    lines = house.log(1).decode()
    assert lines == f"PATH=/bin\nX=é\n=\nHOUSE=no\nTOPGALLANT_ATTEMPT={order.id}.1\n"


def test_a_job_runs_in_its_log_directory_or_where_it_is_told(house: House) -> None:
    house.perform(house.sh(1, "pwd"))
    house.perform(house.sh(2, "pwd", cwd="/usr"))
    assert house.log(1).decode().strip() == str(house.root / "logs" / "1")
    assert house.log(2) == b"/usr\n"


def test_a_job_leads_a_session_and_has_default_signals(house: House) -> None:
    script = "import os,signal;print(os.getsid(0)==os.getpid());" + "".join(
        f"print(signal.getsignal({number}) is signal.SIG_DFL);" for number in (15, 17, 24)
    )
    house.perform(house.order(1, "/usr/bin/python3", "-c", script + "print(os.umask(0)==18)"))
    masks = house.perform(house.order(2, "/bin/grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"))
    assert masks.exit_code == 0
    assert house.log(1).split()[:4] == [b"True"] * 4
    ours = ~(1 << 31 | 1 << 32)  # 32 and 33 are the C library's, and can't be set through it
    assert all(int(line.split()[1], 16) & ours == 0 for line in house.log(2).splitlines())


@pytest.mark.parametrize(
    ("name", "content", "mode", "sentence"),
    [
        ("missing", None, 0, "there is no program"),
        ("plain", "#!/bin/sh\n", 0o644, "is not executable (chmod +x it)"),
        ("strange", "#!/no/such/interpreter\n", 0o755, "interpreter that the first line"),
        ("nothing", "what is this\n", 0o755, "no first line like #!/bin/sh"),
    ],
)
def test_what_cant_be_run_is_a_sentence(
    house: House, name: str, content: str | None, mode: int, sentence: str
) -> None:
    path = house.root / name
    if content is not None:
        path.write_text(content)
        path.chmod(mode)
    end = house.perform(house.order(1, str(path)))
    assert end.reason.startswith("not started: ")
    assert sentence in end.reason
    assert (end.exit_code, end.signal, end.usage) == (None, None, None)
    assert house.perform(house.sh(2, "exit 0")).exit_code == 0


def test_bad_places_and_words_are_sentences_too(house: House) -> None:
    nowhere = house.perform(house.sh(1, "true", cwd="/no/such/place"))
    assert nowhere.reason == (
        "not started: it can't run in /no/such/place: no such file or directory"
    )
    large = house.perform(house.order(2, "/bin/true", "x" * 200_000))
    assert "larger than the kernel takes" in large.reason
    nul = house.perform(house.order(3, "/bin/true", "a\0b"))
    assert "null" in nul.reason
    directory = house.perform(house.order(4, "/usr"))
    assert "is a directory" in directory.reason
    limited = house.perform(house.order(5, "/nope", limits=ProcessLimits(files=10)))
    assert "there is no program /nope" in limited.reason


def test_a_log_directory_that_cant_be_made_is_a_sentence(house: House) -> None:
    (house.root / "logs").write_text("in the way")
    end = house.perform(house.sh(1, "true"))
    assert end.reason.startswith("not started: ")
    assert "can't be made" in end.reason


def test_a_full_disk_is_a_sentence_and_the_runner_lives(house: House) -> None:
    house.perform(house.sh(1, "true"))
    order = house.sh(2, "true", stdout="/dev/full/x")
    assert house.perform(order).reason.startswith("not started: ")
    assert house.perform(house.sh(3, "echo x", stdout="/dev/full")).exit_code != 0
    assert len(house.pids("job-runner")) == 1


def test_a_timeout_ends_a_job_and_its_group(house: House) -> None:
    end = house.perform(house.sh(1, "sleep 98765 & sleep 98765", timeout=0.2))
    assert (end.signal, end.reason) == (signal.SIGTERM, "timeout")
    assert "it was stopped after 0.2 seconds" in end.notes
    assert not processes_of(f"HOUSE={house.root}")


def test_one_that_ignores_sigterm_is_killed_after_its_grace(house: House) -> None:
    script = "trap '' TERM; echo ready; while :; do sleep 0.01; done"
    house.backend.launch(house.sh(1, script, grace=0.2))
    house.started(1)
    house.until(lambda: house.log(1) == b"ready\n")
    house.backend.stop(1, 1, "ada asked")
    end = house.ended(1)
    assert (end.signal, end.reason) == (signal.SIGKILL, "stopped")
    assert "ada asked" in end.notes


def test_one_that_is_stopped_by_a_signal_can_still_end(house: House) -> None:
    house.backend.launch(house.sh(1, "trap 'exit 5' TERM; kill -STOP $$; sleep 9", grace=9.0))
    pid = house.started(1).pid
    stat_file = Path(f"/proc/{pid}/stat")
    house.until(lambda: stat_file.read_text().rpartition(")")[2].split()[0] == "T")
    house.backend.stop(1, 1, "")
    assert house.ended(1).exit_code == 5


def test_daemons_that_a_job_leaves_are_ended_and_noted(house: House) -> None:
    script = (
        "setsid sleep 98765 & (setsid sh -c 'trap \"\" TERM; sleep 98765; sleep 98765' &) ; exit 4"
    )
    end = house.perform(house.sh(1, script))
    assert end.exit_code == 4
    assert any("left behind were ended" in note for note in end.notes)
    assert not processes_of(f"HOUSE={house.root}")


def test_no_zombies(house: House) -> None:
    for number in range(10):
        house.perform(house.sh(number, "(sleep 0.01 &) ; true"))
    runners = set(house.pids("job-runner")) | set(house.pids("job-spawner"))
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                fields = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            assert not (int(fields[1]) in runners and fields[0] == "Z")


def test_settled_ends_are_cut_from_the_journals(house: House) -> None:
    for number in range(3):
        house.perform(house.sh(number, "true"))
    (path,) = (house.run / "runners").glob("*.journal")
    assert path.stat().st_size > 0
    house.backend.settled([(number, 1) for number in range(3)])
    house.until(lambda: path.stat().st_size == 0)


def test_only_the_user_may_enter(house: House) -> None:
    assert stat.S_IMODE(house.run.stat().st_mode) == 0o700
    for path in (house.run / "runners").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_long_path_is_no_trouble(tmp_path: Path) -> None:
    place = tmp_path / ("x" * 100) / ("y" * 100)
    place.mkdir(parents=True)
    house = House(place)
    try:
        assert house.perform(house.sh(1, "exit 3")).exit_code == 3
    finally:
        house.sweep()


def test_wait_returns_when_woken_from_another_thread(house: House) -> None:
    threading.Timer(0.05, house.backend.wake).start()
    before = time.monotonic()
    house.until(lambda: time.monotonic() - before > 0.05)
    assert house.backend.wait(0) == []


def test_closing_with_stop_jobs_ends_them_and_the_next_start_tells(house: House) -> None:
    house.backend.launch(house.sh(1, "sleep 98765"))
    house.started(1)
    house.backend.close(stop_jobs=True)
    assert not processes_of(f"HOUSE={house.root}")
    (end,) = house.come_back()
    assert isinstance(end, Ended)
    assert end.reason == "stopped"


def test_after_close_nothing_of_ours_is_left(house: House) -> None:
    assert house.perform(house.sh(1, "true")).exit_code == 0
    house.backend.settled([(1, 1)])
    house.backend.close()
    deadline = time.monotonic() + 10
    while processes_of(str(house.run)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not processes_of(str(house.run))
    house.backend = ProcessBackend(str(house.run))

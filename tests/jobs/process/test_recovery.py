from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from projects.jobs.process import wire
from projects.jobs.process.orders import Ended, Started, Unknown
from tests.jobs.process.house import House, processes_of

SCRIPT = "while [ ! -e go ]; do sleep 0.01; done; exit 42"


def begin(house: House, script: str = SCRIPT, **fields: object) -> int:
    house.backend.launch(house.sh(1, script, **fields))
    return house.started(1).pid


def go(house: House) -> None:
    (house.root / "logs" / "1" / "go").touch()


def wait_gone(pid: int) -> None:
    while Path(f"/proc/{pid}").exists():
        os.sched_yield()


def test_a_job_outlives_the_server_and_is_taken_over(house: House) -> None:
    pid = begin(house)
    house.leave()
    (report,) = house.come_back()
    assert isinstance(report, Started)
    assert report.pid == pid
    go(house)
    end = house.ended(1)
    assert (end.exit_code, end.reason, end.notes) == (42, "exit", ())


def test_a_job_that_ends_without_a_server_is_told_to_the_next(house: House) -> None:
    pid = begin(house)
    house.leave()
    go(house)
    wait_gone(pid)
    (report,) = house.come_back()
    assert isinstance(report, Ended)
    assert report.exit_code == 42
    house.leave()
    assert house.come_back() == [report]  # until it is settled
    house.backend.settled([(1, 1)])
    house.leave()
    assert house.come_back() == []


def test_a_killed_runner_leaves_its_job_to_the_spawner(house: House) -> None:
    pid = begin(house)
    house.kill(*house.pids("job-runner"))
    house.until(lambda: house.backend._graveyard.living() == [(1, 1)])
    assert Path(f"/proc/{pid}").exists()
    go(house)
    end = house.ended(1)
    assert (end.exit_code, end.reason) == (42, "exit")
    assert any("runner was killed" in note for note in end.notes)
    house.backend.settled([(1, 1)])
    assert house.perform(house.sh(2, "exit 5")).exit_code == 5


def test_a_job_that_a_spawner_watches_can_be_stopped(house: House) -> None:
    begin(house)
    house.kill(*house.pids("job-runner"))
    house.until(lambda: house.backend._graveyard.living() == [(1, 1)])
    house.backend.stop(1, 1, "ada asked")
    end = house.ended(1)
    assert (end.signal, end.reason) == (signal.SIGTERM, "stopped")
    assert "ada asked" in end.notes


def test_a_stop_between_the_death_of_a_runner_and_its_discovery_counts(house: House) -> None:
    begin(house)
    (spawner,), (runner,) = house.pids("job-spawner"), house.pids("job-runner")
    os.kill(spawner, signal.SIGSTOP)
    house.kill(runner)
    house.until(lambda: not house.backend._crew.busy)
    house.backend.stop(1, 1, "ada asked")
    os.kill(spawner, signal.SIGCONT)
    assert house.ended(1).reason == "stopped"


def test_a_killed_runner_and_a_killed_server(house: House) -> None:
    begin(house)
    house.leave()
    house.kill(*house.pids("job-runner"))
    (report,) = house.come_back()
    assert isinstance(report, Started)
    go(house)
    assert house.ended(1).exit_code == 42


def test_a_killed_spawner_is_replaced_and_its_runners_go_on(house: House) -> None:
    begin(house)
    (old,) = house.pids("job-spawner")
    house.kill(old)
    house.until(lambda: [pid for pid in house.pids("job-spawner") if pid != old])
    assert house.perform(house.sh(2, "exit 5")).exit_code == 5
    go(house)
    assert house.ended(1).exit_code == 42


@pytest.mark.parametrize("server", [True, False])
def test_when_everything_was_killed_the_job_is_adopted_with_its_exit_code(
    house: House, server: bool
) -> None:
    pid = begin(house)
    if server:
        house.leave()
    house.kill(*house.pids("job-spawner"), *house.pids("job-runner"))
    if server:
        (report,) = house.come_back()
        assert isinstance(report, Started)
        assert report.pid == pid
    else:
        house.until(lambda: house.backend._graveyard.living() == [(1, 1)])
    go(house)
    end = house.ended(1)
    assert (end.exit_code, end.reason, end.usage) == (42, "exit", None)
    assert any("watched it was killed" in note for note in end.notes)


def test_an_adopted_job_still_has_its_timeout_and_leaves_nothing(house: House) -> None:
    begin(house, "sleep 98765 & setsid sleep 98765", timeout=0.5, grace=0.2)
    house.leave()
    house.kill(*house.pids("job-spawner"), *house.pids("job-runner"))
    house.come_back()
    end = house.ended(1)
    assert (end.signal, end.reason) == (signal.SIGTERM, "timeout")
    assert not processes_of(f"HOUSE={house.root}")


def test_one_that_ended_while_everything_was_dead_is_unknown(house: House) -> None:
    pid = begin(house)
    house.leave()
    house.kill(*house.pids("job-spawner"), *house.pids("job-runner"))
    go(house)
    wait_gone(pid)
    house.come_back()
    lost = house.unknown(1)
    assert lost.started is True
    assert "killed" in lost.reason
    house.backend.settled([(1, 1)])
    house.leave()
    assert house.come_back() == []


def test_after_a_reboot_nothing_is_believed_to_run(house: House) -> None:
    pid = begin(house)
    house.leave()
    house.kill(*house.pids("job-spawner"), *house.pids("job-runner"))
    (report,) = house.come_back(boot_id="11111111-2222-3333-4444-555555555555")
    assert isinstance(report, Unknown)
    assert report.started is True
    assert "restarted" in report.reason
    house.kill(pid)


def test_a_job_of_which_only_the_intent_is_written_is_found_by_its_mark(house: House) -> None:
    pid = begin(house)
    (path,) = (house.run / "runners").glob("*.journal")
    house.leave()
    house.kill(*house.pids("job-spawner"), *house.pids("job-runner"))
    path.write_bytes(path.read_bytes().split(b"\n")[0] + b'\n{"t":"start","q":1,"n"')
    (report,) = house.come_back()
    assert isinstance(report, Started)
    assert report.pid == pid
    go(house)
    assert house.ended(1).exit_code == 42


def test_an_intent_that_never_came_to_a_process_is_said_so(house: House) -> None:
    begin(house)
    (path,) = (house.run / "runners").glob("*.journal")
    house.leave()
    house.kill(*house.pids("job-spawner"), *house.pids("job-runner"))
    (running,) = [pid for pid, _ in processes_of("TOPGALLANT_ATTEMPT=").items()][:1]
    intent = path.read_text().split("\n")[0].replace('"n":1,', '"n":5,').replace("/logs/1", "/none")
    path.write_text(intent.replace('"id":"', '"id":"x') + "\n")
    (report,) = house.come_back()
    assert isinstance(report, Unknown)
    assert (report.number, report.started) == (5, False)
    assert running


def test_a_job_killed_in_its_runners_hands_before_it_began_is_handed_on(house: House) -> None:
    assert house.perform(house.sh(1, "true")).exit_code == 0
    (runner,) = house.pids("job-runner")
    os.kill(runner, signal.SIGSTOP)
    house.backend.launch(house.sh(2, "exit 6"))
    house.kill(runner)
    assert house.ended(2).exit_code == 6


def test_any_change_of_a_source_is_another_version(tmp_path: Path) -> None:
    here = os.path.dirname(wire.__file__)
    assert wire.version() == wire.digest(here)
    copy = shutil.copytree(here, tmp_path / "copy")
    assert wire.digest(str(copy)) == wire.version()
    with open(copy / "runner.py", "a", encoding="utf-8") as source:
        source.write("# changed\n")
    assert wire.digest(str(copy)) != wire.version()


def test_a_server_that_hangs_up_in_the_middle_of_a_message_harms_nothing(house: House) -> None:
    assert house.perform(house.sh(1, "true")).exit_code == 0
    house.leave()
    (name,) = [path.name for path in (house.run / "runners").glob("*.sock")]
    for nonsense in (b'{"t":"laun', b"\xff\xfe\n", b'[1]\n{"t":"dance","x":1}\n'):
        channel = wire.connect(str(house.run / "runners"), name)
        assert channel is not None
        channel.sock.send(nonsense)
        channel.close()
    (report,) = house.come_back()
    assert isinstance(report, Ended)
    assert house.perform(house.sh(3, "exit 9")).exit_code == 9

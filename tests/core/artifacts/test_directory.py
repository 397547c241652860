"""Directories: numbers, contexts, environment."""

from __future__ import annotations

import asyncio
import contextvars
import multiprocessing
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core import errors
from projects.core.artifacts import directory
from projects.core.artifacts.directory import NextArtifactDir, TempArtifactDir, claim
from projects.core.secrets import masking


def numbers(root: Path) -> list[int]:
    return sorted(int(name.partition("__")[0]) for name in os.listdir(root) if "__" in name)


def claim_many(root: str, count: int) -> None:
    for _ in range(count):
        claim(root, "from_a_process")


def test_the_first_directory_is_000_and_the_next_is_001(run_root: Path) -> None:
    with NextArtifactDir("prepare") as first:
        pass
    with NextArtifactDir("test") as second:
        pass
    assert [first.name, second.name] == ["000__prepare", "001__test"]


def test_64_threads_claim_10000_directories_and_no_number_comes_twice(tmp_path: Path) -> None:
    start = threading.Barrier(64)

    def work(thread: int) -> None:
        start.wait()
        for _ in range(10_000 // 64 + (thread < 10_000 % 64)):
            claim(tmp_path, f"thread{thread}")

    with ThreadPoolExecutor(64) as pool:
        list(pool.map(work, range(64)))
    assert numbers(tmp_path) == list(range(10_000))


def test_4_processes_claim_500_directories_each_and_no_number_comes_twice(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=claim_many, args=(str(tmp_path), 500)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert numbers(tmp_path) == list(range(2000))


def test_a_forked_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    process = fork.Process(target=claim_many, args=(str(tmp_path), 5))
    process.start()
    claim_many(str(tmp_path), 5)
    process.join()
    assert numbers(tmp_path) == list(range(10))


def test_a_lost_counter_is_found_again_from_the_directories(tmp_path: Path) -> None:
    (tmp_path / "007__made_elsewhere").mkdir()
    (tmp_path / "not a number__x").mkdir()
    assert claim(tmp_path, "next").name == "008__next"
    (tmp_path / ".next").write_text("rubbish, longer than the counter is wide")
    assert claim(tmp_path, "after").name == "009__after"
    assert claim(tmp_path, "again").name == "010__again"


def test_a_directory_made_by_hand_is_passed_over(tmp_path: Path) -> None:
    claim(tmp_path, "a")
    (tmp_path / "001__b").mkdir()
    assert claim(tmp_path, "b").name == "002__b"


@pytest.mark.parametrize(
    ("given_name", "safe"),
    [
        ("a/b", "a_b"),
        ("../../etc", ".._.._etc"),
        ("nul\0 and\nnewline", "nul_ and_newline"),
        ("", "unnamed"),
        ("   ", "unnamed"),
        ("ü" * 200, "ü" * 120),
        ("\udc80broken", "_broken"),
    ],
)
def test_a_name_becomes_one_safe_component(given_name: str, safe: str, tmp_path: Path) -> None:
    assert directory.safe_name(given_name) == safe
    assert claim(tmp_path, given_name).parent == tmp_path


@given(st.text(st.characters(codec=None)))
def test_any_name_fits_a_file_system(name: str) -> None:
    safe = directory.safe_name(name)
    assert safe
    assert len(safe.encode()) <= directory.MOST_BYTES
    assert "/" not in safe
    assert safe.isprintable()


def test_a_secret_does_not_become_a_name(tmp_path: Path) -> None:
    masking.register("hunter22", "password")
    assert claim(tmp_path, "login hunter22").name == "000__login ***"


def test_a_parent_that_is_missing_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(errors.InfrastructureError, match="cannot make the artifact directory"):
        claim(tmp_path / "missing", "x")


def test_a_file_in_the_way_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.InfrastructureError, match="Not a directory"):
        TempArtifactDir(tmp_path / "file" / "below").__enter__()


def test_without_a_run_there_is_no_current_directory() -> None:
    with pytest.raises(errors.UsageError, match="there is no artifact directory yet"):
        directory.current()


def test_directories_nest_and_are_left_again(run_root: Path) -> None:
    assert directory.current() == run_root
    with NextArtifactDir("outer") as outer:
        assert directory.current() == outer
        with NextArtifactDir("inner") as inner:
            assert directory.current() == inner == outer / "000__inner"
        assert directory.current() == outer
    assert directory.current() == run_root


def test_an_explicit_directory_is_made_and_current(run_root: Path) -> None:
    with TempArtifactDir(run_root / "a" / "b") as path:
        assert directory.current() == path == run_root / "a" / "b"
        assert path.is_dir()


def test_a_thread_with_a_copied_context_keeps_its_own_directory(run_root: Path) -> None:
    met = threading.Barrier(8)
    seen: dict[int, bool] = {}

    def work(i: int) -> None:
        with NextArtifactDir(f"task{i}") as mine:
            met.wait()  # all have entered
            seen[i] = directory.current() == mine
            met.wait()

    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(work, i)) for i in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == dict.fromkeys(range(8), True)


def test_raw_threads_and_executors_see_what_the_main_thread_entered(run_root: Path) -> None:
    with NextArtifactDir("outer") as outer, ThreadPoolExecutor(1) as pool:
        assert pool.submit(directory.current).result() == outer
        with NextArtifactDir("inner") as inner:
            assert pool.submit(directory.current).result() == inner
        assert pool.submit(directory.current).result() == outer
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(directory.current).result() == run_root


def test_a_directory_entered_by_a_raw_thread_is_its_own(run_root: Path) -> None:
    def work() -> Path:
        with NextArtifactDir("in the thread"):
            return directory.current()

    with NextArtifactDir("main") as main, ThreadPoolExecutor(1) as pool:
        assert pool.submit(work).result() == main / "000__in the thread"
        assert directory.current() == main
        assert pool.submit(directory.current).result() == main


def test_what_one_raw_thread_entered_is_nothing_to_another(run_root: Path) -> None:
    entered, asked = threading.Event(), threading.Event()

    def work() -> None:
        with NextArtifactDir("in the thread"):
            entered.set()
            asked.wait()

    with NextArtifactDir("main") as main, ThreadPoolExecutor(2) as pool:
        working = pool.submit(work)
        entered.wait()
        assert pool.submit(directory.current).result() == main
        asked.set()
        working.result()


def test_joblib_threads_are_right(run_root: Path) -> None:
    def work(i: int) -> bool:
        with NextArtifactDir(f"task{i}") as mine:
            return directory.current() == mine and mine.parent.name == "000__parallel"

    with NextArtifactDir("parallel"):
        found = joblib.Parallel(n_jobs=8, backend="threading")(
            joblib.delayed(work)(i) for i in range(50)
        )
    assert all(found)
    assert numbers(run_root / "000__parallel") == list(range(50))


def test_two_tasks_of_a_loop_have_two_directories_at_once(run_root: Path) -> None:
    async def work(name: str, mine: asyncio.Event, other: asyncio.Event) -> bool:
        async with NextArtifactDir(name) as path:
            mine.set()
            await other.wait()
            in_thread = await asyncio.to_thread(directory.current)
            return directory.current() == path == in_thread

    async def both() -> list[bool]:
        a, b = asyncio.Event(), asyncio.Event()
        return list(await asyncio.gather(work("a", a, b), work("b", b, a)))

    with NextArtifactDir("outer"):
        assert asyncio.run(both()) == [True, True]


def test_an_executor_of_a_loop_falls_back_to_what_was_entered_before_the_loop(
    run_root: Path,
) -> None:
    async def work() -> tuple[Path, Path]:
        with NextArtifactDir("in the loop") as inside:
            loop = asyncio.get_running_loop()
            return inside, await loop.run_in_executor(None, directory.current)

    with NextArtifactDir("outer") as outer:
        inside, seen = asyncio.run(work())
    assert inside.parent == outer
    assert seen == outer


def test_a_child_gets_its_environment_and_ours_stays_as_it_is(run_root: Path) -> None:
    before = dict(os.environ)
    with NextArtifactDir("x") as path:
        environment = directory.child_environment({"A": "b"})
        assert dict(os.environ) == before
    assert environment == {"A": "b", "ARTIFACT_DIR": str(path), "TOPGALLANT_RUN": str(run_root)}


def test_leaving_from_another_context_is_harmless(run_root: Path) -> None:
    context = contextvars.copy_context()
    entered = NextArtifactDir("x")
    context.run(entered.__enter__)
    entered.__exit__(None, None, None)
    assert directory.current() == run_root

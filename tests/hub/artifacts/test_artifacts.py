"""Runs are sent, published at once, kept within quotas; what nobody names goes."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projects.hub.artifacts import records, retention
from projects.hub.artifacts.artifacts import Held, Incomplete
from projects.hub.artifacts.blobs import Blobs, Taken, WrongOffset
from projects.hub.artifacts.quotas import OverQuota
from projects.hub.artifacts.trees import ManifestTree
from projects.hub.artifacts.values import Filter, Retention, Wanted
from projects.jobs.http.refusals import Absent, Invalid
from tests.hub.artifacts.conftest import Desk, digest

DAY = 86_400_000_000


def read(desk: Desk, id_: str, path: str) -> bytes:
    run = desk.artifacts.run(id_)
    assert run is not None
    file = ManifestTree(desk.artifacts, run).open(path)
    try:
        return os.pread(file.descriptor, file.size, 0)
    finally:
        file.close()


def test_a_run_is_seen_when_all_of_it_has_come(desk: Desk) -> None:
    run = desk.announce("ada", "runs/1", {"a": b"one", "b/c": b"two", "b/d": b"two"})
    desk.send(run, b"one")
    with pytest.raises(Incomplete, match="1 contents are missing"):
        desk.artifacts.finish(run, "1", desk.now)
    assert desk.artifacts.page(Filter(), ("ada", ())) == []
    desk.send(run, b"two")
    done = desk.artifacts.finish(run, "1", desk.now)
    assert (done.files, done.bytes, done.published) == (3, 9, desk.now)
    assert [one.id for one in desk.artifacts.page(Filter(), ("ada", ()))] == [run.id]
    assert [read(desk, run.id, path) for path in ("a", "b/c", "b/d")] == [b"one", b"two", b"two"]


def test_a_run_is_what_it_was_until_the_new_one_is_complete(desk: Desk) -> None:
    first = desk.export("ada", "runs/1", {"a": b"old", "gone": b"x"})
    again = desk.announce("ada", "runs/1", {"a": b"new", "more": b"x"})
    assert again.id == first.id
    assert read(desk, first.id, "a") == b"old"
    assert [one.sha256 for one in desk.artifacts.missing(again)] == [digest(b"new")]
    desk.export("ada", "runs/1", {"a": b"new", "more": b"x"})
    assert read(desk, first.id, "a") == b"new"
    with pytest.raises(Absent):
        read(desk, first.id, "gone")


def test_what_another_has_sent_is_not_given_away_for_its_hash(desk: Desk) -> None:
    desk.export("ada", "runs/1", {"secret": b"only ada's"})
    run = desk.announce("eve", "runs/1", {"mine": b"only ada's"})
    assert [one.sha256 for one in desk.artifacts.missing(run)] == [digest(b"only ada's")]
    with pytest.raises(Incomplete):
        desk.artifacts.finish(run, "1", desk.now)
    with pytest.raises(Absent):
        ManifestTree(desk.artifacts, run, draft=True).open("mine")
    desk.send(run, b"only ada's")
    desk.artifacts.finish(run, "1", desk.now)
    assert len([one for some in desk.artifacts.blobs.walk() for one in some]) == 1


def test_a_wrong_content_is_refused_and_thrown_away(desk: Desk) -> None:
    run = desk.announce("ada", "runs/1", {"a": b"right"})
    upload = desk.artifacts.receive(run, digest(b"right"), 0)
    upload.write(b"wrong")
    with pytest.raises(Invalid, match="has the sha256"):
        desk.artifacts.received(run, upload, digest(b"right"))
    upload.close()
    assert desk.artifacts.blobs.size(digest(b"right")) is None
    assert desk.artifacts.missing(run)[0].offset == 0
    with pytest.raises(Incomplete):
        desk.artifacts.finish(run, "1", desk.now)


def test_more_than_was_announced_is_refused(desk: Desk) -> None:
    run = desk.announce("ada", "runs/1", {"a": b"12345"})
    upload = desk.artifacts.receive(run, digest(b"12345"), 0)
    with pytest.raises(Invalid, match="more bytes came"):
        upload.write(b"123456")
    upload.close()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(min_size=1, max_size=64), cuts=st.lists(st.integers(0, 64), max_size=5))
def test_a_content_comes_in_any_pieces(tmp_path: Any, content: bytes, cuts: list[int]) -> None:
    blobs = Blobs(tmp_path / "blobs")
    name = digest(content)
    ends = sorted({min(cut, len(content)) for cut in cuts} | {len(content)})
    for end in ends:
        at = blobs.offset("run", name)
        for wrong in {at - 1, at + 1, len(content) + 1} - {at}:
            with pytest.raises(WrongOffset) as raised:
                blobs.receive("run", name, len(content), wrong)
            assert raised.value.headers == {"Upload-Offset": str(at)}
        upload = blobs.receive("run", name, len(content), at)
        upload.write(content[at:end])
        if upload.is_complete:
            upload.finish()
            blobs.received("run", name)
        upload.close()
    assert blobs.size(name) == len(content)
    blobs.remove(name)


def test_only_one_sends_a_content_of_a_run_at_a_time(desk: Desk) -> None:
    run = desk.announce("ada", "runs/1", {"a": b"12345"})
    first = desk.artifacts.receive(run, digest(b"12345"), 0)
    with pytest.raises(Taken):
        desk.artifacts.receive(run, digest(b"12345"), 0)
    first.write(b"12")
    first.close()
    second = desk.artifacts.receive(run, digest(b"12345"), 2)
    second.write(b"345")
    desk.artifacts.received(run, second, digest(b"12345"))
    second.close()
    assert desk.artifacts.finish(run, "1", desk.now).published


def test_a_run_that_is_removed_while_it_is_sent_is_no_failure_of_the_disk(embedded: Desk) -> None:
    run = embedded.announce("ada", "run", {"a": b"one", "b": b"two"})
    upload = embedded.artifacts.receive(run, digest(b"one"), 0)
    try:
        upload.write(b"one")
        embedded.artifacts.remove(run)
        with pytest.raises(Taken, match="given up meanwhile"):
            embedded.artifacts.received(run, upload, digest(b"one"))
    finally:
        upload.close()
    with pytest.raises(Absent):
        embedded.artifacts.expected(run, digest(b"one"))


def test_small_contents_come_while_another_call_gives_the_folder_up(
    embedded: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = embedded.announce("ada", "run", {"a": b"one"})
    blobs, size = embedded.artifacts.blobs, Blobs.size

    def given_up(self: Blobs, one: bytes) -> int | None:
        monkeypatch.setattr(Blobs, "size", size)
        self.give_up(run.id)
        return self.size(one)

    monkeypatch.setattr(Blobs, "size", given_up)
    blobs.add(run.id, {digest(b"one"): b"one"})
    assert blobs.size(digest(b"one")) == 3


def test_two_users_send_one_content_at_the_same_time(desk: Desk) -> None:
    content = os.urandom(3_000_000)
    problems: list[BaseException] = []

    def send(owner: str) -> None:
        try:
            desk.export(owner, "runs/1", {"a": content})
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=send, args=(f"user{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(desk.artifacts.page(Filter(), None)) == 4


def test_sending_goes_on_after_a_kill_between_the_name_and_the_note(desk: Desk) -> None:
    run = desk.announce("ada", "runs/1", {"a": b"12345"})
    upload = desk.artifacts.receive(run, digest(b"12345"), 0)
    upload.write(b"12345")
    upload.finish()
    upload.close()  # and here the server is killed
    assert desk.artifacts.missing(run)[0].offset == 5
    rest = desk.artifacts.receive(run, digest(b"12345"), 5)
    desk.artifacts.received(run, rest, digest(b"12345"))
    rest.close()
    assert desk.artifacts.finish(run, "1", desk.now).files == 1


def test_a_content_that_a_disk_has_lost_is_asked_for_again(desk: Desk) -> None:
    run = desk.announce("ada", "runs/1", {"a": b"12345"})
    desk.send(run, b"12345")
    os.unlink(desk.artifacts.blobs.path(digest(b"12345")))
    with pytest.raises(Incomplete):
        desk.artifacts.finish(run, "1", desk.now)
    desk.send(run, b"12345")
    assert desk.artifacts.finish(run, "1", desk.now).files == 1


def test_a_content_that_a_disk_has_lost_heals_with_the_next_export_of_it(desk: Desk) -> None:
    first = desk.export("ada", "runs/1", {"a": b"one", "b": b"two"})
    os.unlink(desk.artifacts.blobs.path(digest(b"one")))
    second = desk.announce("ada", "runs/2", {"c": b"one", "d": b"two"})
    assert [one.sha256 for one in desk.artifacts.missing(second)] == [digest(b"one")]
    desk.export("ada", "runs/2", {"c": b"one", "d": b"two"})
    assert read(desk, first.id, "a") == read(desk, second.id, "c") == b"one"


def test_the_end_may_be_said_twice(desk: Desk) -> None:
    run = desk.export("ada", "runs/1", {"a": b"one"})
    before = desk.artifacts.run(run.id)
    assert desk.artifacts.finish(run, "runs/1", desk.now) == before
    with pytest.raises(Incomplete, match="nothing is announced"):
        desk.artifacts.finish(run, "other", desk.now)


def test_a_place_is_kept_for_one_export(desk: Desk) -> None:
    artifacts = desk.artifacts
    run = artifacts.begin("ada", Wanted("runs/1", holder="first"), [])
    with pytest.raises(Held) as held:
        artifacts.begin("ada", Wanted("runs/1", holder="second"))
    assert held.value.fields["holder"] == "first"
    artifacts.begin("eve", Wanted("runs/1", holder="second"))
    artifacts.begin("ada", Wanted("runs/1", holder="second", instead_of="first"))
    with pytest.raises(Held):
        artifacts.keep_alive(run, "first")
    with pytest.raises(Held):
        artifacts.finish(run, "1", 0, "first")
    desk.now += 61_000_000
    artifacts.begin("ada", Wanted("runs/1", holder="third"))


def test_a_quota_counts_what_is_announced(desk: Desk) -> None:
    desk.artifacts.quotas.of_user = 10
    desk.export("ada", "runs/1", {"a": b"123456"})
    with pytest.raises(OverQuota, match="may keep 10 bytes and has 6"):
        desk.announce("ada", "runs/2", {"a": b"12345"})
    desk.announce("ada", "runs/2", {"a": b"1234"})
    desk.announce("eve", "runs/2", {"a": b"1234567890"})
    desk.announce("ada", "runs/1", {"a": b"12345"})  # replaces it, doesn't come on top
    desk.artifacts.quotas.set_own("ada", None)
    desk.announce("ada", "runs/3", {"a": bytes(100)})
    assert desk.artifacts.quotas.usage("ada").quota is None
    assert desk.artifacts.quotas.usage("ada").bytes == 6 + 4 + 100


def test_a_quota_that_is_made_smaller_stops_what_is_on(desk: Desk) -> None:
    run = desk.announce("ada", "runs/1", {"a": b"123456"})
    desk.artifacts.quotas.set_own("ada", 5)
    with pytest.raises(OverQuota):
        desk.artifacts.receive(run, digest(b"123456"), 0)
    with pytest.raises(OverQuota):
        body = b"%s 6\n123456" % digest(b"123456").hex().encode()
        desk.artifacts.receive_batch(run, body)


def test_the_quota_of_the_hub_counts_what_all_keep(desk: Desk) -> None:
    desk.artifacts.quotas.of_hub = 10
    desk.export("ada", "runs/1", {"a": b"123456"})
    with pytest.raises(OverQuota, match="the hub may keep 10 bytes and has 6 beside"):
        desk.announce("bob", "runs/1", {"a": b"12345"})
    desk.export("bob", "runs/1", {"a": b"1234"})
    desk.export("ada", "runs/1", {"a": b"654321"})  # instead of what it has
    quotas = desk.artifacts.quotas
    assert (quotas.usage_of_hub().bytes, quotas.usage_of_hub().quota) == (10, 10)
    quotas.set_own("cy", 3)
    found = [(one.user, one.bytes, one.quota) for one in quotas.largest(10)]
    assert found == [("ada", 6, None), ("bob", 4, None), ("cy", 0, 3)]
    assert len(quotas.largest(1)) == 1
    quotas.drop_own("cy")
    assert [one.user for one in quotas.largest(10)] == ["ada", "bob"]


def test_a_quota_of_the_hub_that_is_passed_meanwhile_shows_nothing_more(desk: Desk) -> None:
    run = desk.announce("ada", "runs/1", {"a": b"123456"})
    desk.send(run, b"123456")
    desk.artifacts.quotas.of_hub = 5
    with pytest.raises(OverQuota):
        desk.artifacts.finish(run, "1", desk.now)


def test_many_at_once_do_not_get_past_a_quota(desk: Desk) -> None:
    desk.artifacts.quotas.of_user = 50
    passed: list[int] = []

    def announce(number: int) -> None:
        try:
            desk.announce("ada", f"runs/{number}", {"a": bytes(10)})
            passed.append(number)
        except OverQuota:
            pass

    threads = [threading.Thread(target=announce, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == 5


def test_collecting_removes_what_nobody_names_and_nothing_else(desk: Desk) -> None:
    run = desk.export("ada", "runs/1", {"a": b"kept", "b": b"both"})
    other = desk.export("ada", "runs/2", {"a": b"gone", "b": b"both"})
    on = desk.announce("ada", "runs/3", {"a": b"coming"})
    desk.send(on, b"coming")
    desk.artifacts.remove(other)
    removed = retention.collect(desk.artifacts)
    assert (removed.contents, removed.bytes) == (1, 4)
    assert read(desk, run.id, "b") == b"both"
    assert desk.artifacts.finish(on, "3", desk.now).files == 1
    assert retention.collect(desk.artifacts).contents == 0


def test_collecting_while_exports_come_and_go_loses_nothing(desk: Desk) -> None:
    stop = threading.Event()
    problems: list[BaseException] = []

    def collect() -> None:
        try:
            while not stop.is_set():
                retention.clean(desk.artifacts)
        except BaseException as error:
            problems.append(error)

    thread = threading.Thread(target=collect)
    thread.start()
    try:
        for number in range(15):
            contents = {str(one): b"%d" % (one % 5) for one in range(10)}
            run = desk.export("ada", f"runs/{number % 3}", contents)
            assert all(read(desk, run.id, path) == one for path, one in contents.items())
            if number % 2:
                desk.artifacts.remove(run)
    finally:
        stop.set()
        thread.join()
    assert problems == []


def test_a_content_that_is_collected_before_it_was_noted_is_not_taken_as_there(desk: Desk) -> None:
    run = desk.announce("ada", "runs/1", {"a": b"12345"})
    upload = desk.artifacts.receive(run, digest(b"12345"), 0)
    upload.write(b"12345")
    upload.finish()
    desk.announce("ada", "runs/1", {})  # nobody names it now
    assert retention.collect(desk.artifacts).contents == 1
    desk.announce("ada", "runs/1", {"a": b"12345"})
    desk.artifacts.received(run, upload, digest(b"12345"))
    upload.close()
    assert desk.artifacts.blobs.size(digest(b"12345")) == 5


def test_old_runs_go_but_the_last_of_a_project_stay(desk: Desk) -> None:
    desk.artifacts.retention = Retention(days=10, keep_last=2)
    for number in range(4):
        desk.export("ada", f"one/{number}", {"a": b"%d" % number})
        desk.now += DAY
    desk.export("ada", "two/1", {"a": b"x"})
    given_up = desk.announce("ada", "three/1", {"a": b"never"})
    desk.now += 20 * DAY
    assert retention.clean(desk.artifacts).runs == 3
    places = [run.place for run in desk.artifacts.page(Filter(), None)]
    assert places == ["two/1", "one/3", "one/2"]
    assert desk.artifacts.run(given_up.id) is None


def test_pages_and_filters(desk: Desk) -> None:
    for number in range(5):
        run = desk.export(("ada", "eve")[number % 2], f"p{number % 2}/{number}", {"a": b"1"})
        desk.artifacts.share(run, ["team"] if number == 1 else [])
    page = desk.artifacts.page(Filter(), ("ada", ("team",)), None, 2)
    assert [run.place for run in page] == ["p0/4", "p0/2"]
    rest = desk.artifacts.page(Filter(), ("ada", ("team",)), page[-1].number, 5)
    assert [run.place for run in rest] == ["p1/1", "p0/0"]
    assert [run.place for run in desk.artifacts.page(Filter(project="p1"), None)] == [
        "p1/3",
        "p1/1",
    ]
    assert [run.place for run in desk.artifacts.page(Filter(group="team"), None)] == ["p1/1"]
    assert desk.artifacts.page(Filter(since=desk.now + 1), None) == []


def test_each_project_has_its_newest_runs(desk: Desk) -> None:
    for number in range(9):
        run = desk.export(("ada", "eve")[number % 2], f"p{number % 3}/{number}", {"a": b"1"})
        desk.artifacts.share(run, ["team"] if number == 1 else [])
    desk.export("eve", "z/1", {"a": b"1"})
    desk.announce("ada", "draft/1", {"a": b"2"})

    def shown(*asked: Any) -> dict[str, list[str]]:
        found = desk.artifacts.newest_of_projects(*asked)
        return {name: [run.place for run in runs] for name, runs in found.items()}

    assert shown(None, None, 9, 2) == {
        "p0": ["p0/6", "p0/3"],
        "p1": ["p1/7", "p1/4"],
        "p2": ["p2/8", "p2/5"],
        "z": ["z/1"],
    }
    assert list(shown(None, None, 2, 1)) == ["p0", "p1"]
    assert list(shown(None, "p1", 9, 1)) == ["p2", "z"]
    assert shown(("ada", ("team",)), None, 9, 9) == {
        "p0": ["p0/6", "p0/0"],
        "p1": ["p1/4", "p1/1"],
        "p2": ["p2/8", "p2/2"],
    }
    assert shown(("bob", ()), None, 9, 9) == {}


def test_the_journal_says_what_a_run_was(desk: Desk) -> None:
    events = (
        b'{"at":"2026-01-01T00:00:00Z","type":"started","id":"a","parent":null,"kind":"run",'
        b'"name":"run","project":"bench","verb":"test_ci"}\n'
        b'{"at":"2026-01-01T00:00:01Z","type":"ended","id":"a","outcome":"passed","seconds":1}\n'
    )
    run = desk.export("ada", "x/1", {"events.jsonl": events})
    assert (run.project, run.name, run.outcome) == ("bench", "bench test_ci", "passed")
    assert desk.export("ada", "x/2", {"FAILURES": b"x"}).outcome == "failed"


def test_the_trees_of_runs_that_are_gone_are_gone(desk: Desk) -> None:
    run = desk.export("ada", "x/1", {"a": b"1"})
    desk.announce("ada", "x/1", {"a": b"2"})
    desk.artifacts.remove(run)
    with desk.artifacts.database.read() as connection:
        assert records.named(connection, [digest(b"1"), digest(b"2")]) == set()

"""What every history does, whatever is behind it; OpenSearch and Horreum are stubs here."""

from __future__ import annotations

import itertools
import ssl
import subprocess
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import httpx
import pytest

from projects.core.errors import ConfigurationError, InfrastructureError, UsageError
from projects.core.secrets import masking
from projects.matrix_benchmarking.history import horreum, opensearch
from projects.matrix_benchmarking.history.http import Server
from projects.matrix_benchmarking.history.sqlite import SqliteHistory
from tests.contracts.http_stubs import API_KEY, PASSWORD, USER, HorreumStub, OpenSearchStub
from tests.matrix_benchmarking.payloads import LABELS, MOMENT, payload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from projects.matrix_benchmarking.history.history import History

    Open = Callable[[], History]


def _sqlite(place: Path) -> Open:
    return lambda: SqliteHistory(place / "history")


def _opensearch(_: Path) -> Open:
    transport = httpx.MockTransport(OpenSearchStub())
    return lambda: opensearch.OpenSearchHistory(
        Server("OpenSearch", "https://stub:9200", auth=(USER, PASSWORD), transport=transport),
        "prefix-index",
    )


def _horreum(_: Path) -> Open:
    transport = httpx.MockTransport(HorreumStub("made up/test"))
    headers = {"X-Horreum-API-Key": API_KEY}
    return lambda: horreum.HorreumHistory(
        Server("Horreum", "https://stub", headers=headers, transport=transport), "made up/test"
    )


HISTORIES: dict[str, Callable[[Path], Open]] = {
    "sqlite": _sqlite,
    "opensearch": _opensearch,
    "horreum": _horreum,
}
"""One line per kind: how to open the same history, again and again, given an empty place."""


@pytest.fixture(params=HISTORIES)
def open_it(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    opener = HISTORIES[request.param](tmp_path)
    opened: list[History] = []

    def open_it() -> History:
        opened.append(opener())
        return opened[-1]

    yield open_it
    for history in opened:
        history.close()


def test_nothing_is_there_at_first(open_it: Open) -> None:
    history = open_it()
    series = history.series("speed", LABELS, workload="P.W")
    assert (len(series), series.name, series.labels) == (0, "speed", LABELS)
    assert history.runs(workload="P.W") == []
    assert history.append([]) == 0


def test_what_was_appended_comes_back(open_it: Open) -> None:
    assert open_it().append([payload(1, 1.25, lower_better=True), payload(2, 1 / 3)]) == 2
    series = open_it().series("speed", LABELS, workload="P.W")
    assert series.values == (1.25, 1 / 3)
    assert series.times == (MOMENT + timedelta(minutes=1), MOMENT + timedelta(minutes=2))
    assert series.fingerprints == ({"cpu": "Made Up", "memory": 8},) * 2
    assert series.samples == ((1.0, 2.5),) * 2
    assert series.runs == ("run-1", "run-2")
    assert series.unit == "rows/s"
    assert not series.lower_better  # as the newest says
    assert len(set(series.test_uuids)) == 2


def test_appending_again_changes_nothing(open_it: Open) -> None:
    history = open_it()
    assert history.append([payload(1), payload(1)]) == 1
    assert history.append([payload(1, 99.0), payload(2)]) == 1
    assert open_it().append([payload(2)]) == 0
    assert open_it().series("speed", LABELS, workload="P.W").values == (1.0, 2.0)


def test_times_out_of_order_are_put_in_order(open_it: Open) -> None:
    history = open_it()
    history.append([payload(3), payload(1)])
    history.append([payload(2), payload(0, minutes=3)])
    values = history.series("speed", LABELS, workload="P.W").values
    assert values[:2] == (1.0, 2.0)
    assert sorted(values[2:]) == [0.0, 3.0]


def test_labels_match_exactly_and_in_any_order(open_it: Open) -> None:
    history = open_it()
    others = [{"mode": "wal"}, {**LABELS, "x": "1"}, {**LABELS, "batch": "1"}, {}]
    odd = {"mode": 'q"uo\\te\n', "ünï": "日本 {x}:*?"}
    history.append([payload(n, labels=each) for n, each in enumerate([*others, odd, LABELS])])
    turned = dict(reversed(LABELS.items()))
    assert history.series("speed", turned, workload="P.W").values == (5.0,)
    assert history.series("speed", odd, workload="P.W").values == (4.0,)
    assert history.series("speed", {}, workload="P.W").values == (3.0,)


def test_workloads_and_kpis_are_apart(open_it: Open) -> None:
    history = open_it()
    history.append([payload(1), payload(2, workload="Q.W"), payload(3, name="size")])
    assert history.series("speed", LABELS, workload="P.W").values == (1.0,)
    assert history.series("speed", LABELS, workload="Q.W").values == (2.0,)
    assert history.series("size", LABELS, workload="P.W").values == (3.0,)
    assert history.series("speed", LABELS).values == ()


def test_only_passed_results_with_a_number_are_points(open_it: Open) -> None:
    history = open_it()
    kept = [
        payload(1),
        payload(2, status="failed"),
        payload(3, [1.0, 2.0], x=[1.0, 2.0]),
        payload(4).model_copy(
            update={
                "kpis": {
                    "speed": payload(4)
                    .kpis["speed"]
                    .model_copy(update={"value": None, "status": "invalid", "problem": "NaN"})
                }
            }
        ),
    ]
    assert history.append(kept) == 4
    assert history.series("speed", LABELS, workload="P.W").values == (1.0,)
    assert sum(run.results for run in history.runs(workload="P.W")) == 4


def test_the_limit_keeps_the_newest(open_it: Open) -> None:
    history = open_it()
    history.append([payload(number) for number in range(10)])
    assert history.series("speed", LABELS, workload="P.W", limit=3).values == (7.0, 8.0, 9.0)
    with pytest.raises(UsageError, match="limit=0"):
        history.series("speed", LABELS, limit=0)


def test_a_page_is_no_bound(open_it: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opensearch, "PAGE", 7)
    monkeypatch.setattr(horreum, "PAGE", 7)
    monkeypatch.setattr(opensearch, "BULK_BYTES", 3000)
    history = open_it()
    assert history.append([payload(number) for number in range(50)]) == 50
    assert len(history.series("speed", LABELS, workload="P.W")) == 50
    assert len(history.series("speed", LABELS, workload="P.W", limit=21)) == 21
    assert len(history.runs(workload="P.W")) == 50


def test_runs_are_listed_with_the_newest_first(open_it: Open) -> None:
    history = open_it()
    history.append(
        [
            payload(1, run_id="a"),
            payload(5, run_id="a"),
            payload(3, run_id="b"),
            payload(9, run_id="c", workload="Q.W"),
        ]
    )
    runs = history.runs(workload="P.W")
    assert [(run.run_id, run.results) for run in runs] == [("a", 2), ("b", 1)]
    assert runs[0].end == MOMENT + timedelta(minutes=5)
    assert [run.run_id for run in history.runs(workload="P.W", limit=1)] == ["a"]


def test_builds_are_counted_or_refused(open_it: Open) -> None:
    history = open_it()
    if isinstance(history, horreum.HorreumHistory):
        with pytest.raises(UsageError, match="has no counter for nightly"):
            history.next_build_index("nightly")
        return
    assert [history.next_build_index("nightly 1/x") for _ in range(3)] == [1, 2, 3]
    assert open_it().next_build_index("nightly 1/x") == 4
    assert open_it().next_build_index("other") == 1


def test_secrets_are_not_kept(open_it: Open) -> None:
    masking.register("swordfish-1234", "token")
    history = open_it()
    history.append([payload(1, run_id="by swordfish-1234")])
    (run,) = history.runs(workload="P.W")
    assert "swordfish" not in run.run_id


# What only servers do.


def _server(handler: Callable[[httpx.Request], httpx.Response], waits: list[float]) -> Server:
    transport = httpx.MockTransport(handler)
    auth = (USER, PASSWORD)
    return Server("S", "https://stub", auth=auth, transport=transport, sleep=waits.append)


def test_a_server_that_asks_for_patience_gets_it() -> None:
    stub, waits = OpenSearchStub(), list[float]()
    troubles: Iterator[int | None] = iter([503, None, 429])

    def handler(request: httpx.Request) -> httpx.Response:
        for trouble in itertools.islice(troubles, 1):
            if trouble is None:
                raise httpx.ConnectError("refused", request=request)
            return httpx.Response(trouble)
        return stub(request)

    history = opensearch.OpenSearchHistory(_server(handler, waits), "index")
    assert history.append([payload(1)]) == 1
    assert waits == [0.5, 1.0, 2.0]


def test_a_bulk_whose_answer_was_lost_counts_once() -> None:
    stub, lost = OpenSearchStub(), [True]

    def handler(request: httpx.Request) -> httpx.Response:
        response = stub(request)
        if request.url.path.endswith("_bulk") and lost:
            lost.clear()
            raise httpx.ReadError("connection reset", request=request)
        return response

    history = opensearch.OpenSearchHistory(_server(handler, []), "index")
    history.append([payload(1)])
    assert history.series("speed", LABELS, workload="P.W").values == (1.0,)


def test_a_server_that_never_answers_is_named() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody is there", request=request)

    waits: list[float] = []
    history = opensearch.OpenSearchHistory(_server(handler, waits), "index")
    with pytest.raises(InfrastructureError, match=r"S https://stub: HEAD /index: nobody is there"):
        history.append([payload(1)])
    assert len(waits) == 4


def test_wrong_credentials_are_said() -> None:
    transport = httpx.MockTransport(OpenSearchStub())
    server = Server("S", "https://stub", auth=("ada", "wrong"), transport=transport)
    with pytest.raises(InfrastructureError, match="status 401: wrong credentials"):
        opensearch.OpenSearchHistory(server, "index").append([payload(1)])


def test_a_document_that_the_server_refuses_is_named() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "HEAD":
            return httpx.Response(200)
        error = {"type": "mapper_parsing_exception", "reason": "too deep"}
        item = {"create": {"_id": "x", "status": 400, "error": error}}
        return httpx.Response(200, json={"errors": True, "items": [item]})

    history = opensearch.OpenSearchHistory(_server(handler, []), "index")
    with pytest.raises(InfrastructureError, match=r"x was refused: .*too deep"):
        history.append([payload(1)])


def test_an_answer_that_is_no_json_is_shown() -> None:
    server = _server(lambda _: httpx.Response(200, text="<html>log in</html>"), [])
    with pytest.raises(InfrastructureError, match="no JSON: <html>log in"):
        server.call("GET", "/")


def test_a_payload_that_horreum_has_twice_counts_once() -> None:
    stub = HorreumStub("t")
    headers = {"X-Horreum-API-Key": API_KEY}
    transport = httpx.MockTransport(stub)
    server = Server("Horreum", "https://stub", headers=headers, transport=transport)
    history = horreum.HorreumHistory(server, "t")
    history.append([payload(1)])
    stub.runs.append({**stub.runs[0], "id": 1})
    stub.data.append(stub.data[0])
    stub.runs.append({"id": 2, "description": None, "stop": "2026"})  # uploaded by somebody else
    assert history.series("speed", LABELS, workload="P.W").values == (1.0,)
    assert [run.results for run in history.runs(workload="P.W")] == [1]


def test_a_test_that_horreum_does_not_have_is_named() -> None:
    headers = {"X-Horreum-API-Key": API_KEY}
    transport = httpx.MockTransport(HorreumStub("t"))
    server = Server("Horreum", "https://stub", headers=headers, transport=transport)
    with pytest.raises(ConfigurationError, match='has no test "other": make it there first'):
        horreum.HorreumHistory(server, "other").append([payload(1)])


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=stub"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *words, *names, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"[1]")

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass

    with Quiet(("127.0.0.1", 0), Handler) as listener:
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
        thread = threading.Thread(target=listener.serve_forever)
        thread.start()
        address = f"https://127.0.0.1:{listener.server_port}"
        strict, told = Server("S", address), Server("S", address, ca_file=str(certificate))
        try:
            with pytest.raises(InfrastructureError, match="CERTIFICATE_VERIFY_FAILED"):
                strict.call("GET", "/")
            assert told.call("GET", "/") == (200, [1])
        finally:
            strict.close()
            told.close()
            listener.shutdown()
            thread.join()

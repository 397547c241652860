"""What `matbench.lts` means, and how an instance is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from projects.core.errors import ConfigurationError
from projects.core.secrets import masking
from projects.core.secrets.secret import Secret
from projects.matrix_benchmarking.history.horreum import HorreumHistory
from projects.matrix_benchmarking.history.opensearch import OpenSearchHistory
from projects.matrix_benchmarking.history.registry import Wanted, open_history, plan
from projects.matrix_benchmarking.history.sqlite import SqliteHistory

FOLDER = Path("/histories")
OPENSEARCH = {"instance": "smoke", "index": "kpis", "index_prefix": "psap-"}
INSTANCES = """
smoke: {username: ada, password: correct-horse, host: search.example.com, port: 9200}
local: {username: ada, password: correct-horse, host: "http://127.0.0.1", port: 9201}
portless: {host: search.example.com}
broken: {port: 1}
text: nothing
"""


def kinds(lts: dict[str, Any], **options: Any) -> list[str]:
    return [wanted.kind for wanted in plan(lts, folder=FOLDER, **options).export]


def test_without_a_word_payloads_go_to_the_folder() -> None:
    made = plan({}, folder=FOLDER)
    assert made.export == (Wanted("sqlite", {"directory": "/histories"}, True),)
    assert made.generate
    assert made.baseline is None


def test_without_a_folder_nothing_is_wanted() -> None:
    assert plan({}).export == ()


def test_opensearch_has_to_be_enabled() -> None:
    assert kinds({"opensearch": OPENSEARCH}) == ["sqlite"]
    lts = {"opensearch": OPENSEARCH | {"export": {"enabled": True, "fail_test_on_fail": True}}}
    opensearch, sqlite = plan(lts, folder=FOLDER).export
    assert (opensearch.kind, sqlite.kind) == ("opensearch", "sqlite")
    assert opensearch.options["index"] == "psap-kpis"
    assert opensearch.fail_test_on_fail


@pytest.mark.parametrize("missing", ["instance", "index"])
def test_enabled_without_a_place_is_an_error(missing: str) -> None:
    lts = {"opensearch": OPENSEARCH | {"export": {"enabled": True}, missing: None}}
    with pytest.raises(ConfigurationError, match=rf"opensearch\.{missing} is empty"):
        plan(lts)


def test_a_replot_does_nothing_unless_told() -> None:
    lts: dict[str, Any] = {
        "opensearch": OPENSEARCH | {"export": {"enabled": True}},
        "regression_analyses": {"enabled": True},
    }
    assert kinds(lts, replot=True) == []
    assert plan(lts, replot=True, folder=FOLDER).baseline is None
    lts["opensearch"]["export"]["enabled_on_replot"] = True
    lts["regression_analyses"]["enabled_on_replot"] = True
    assert kinds(lts, replot=True) == ["opensearch"]
    assert plan(lts, replot=True, folder=FOLDER).baseline is not None


def test_the_baseline_is_opensearch_before_the_folder() -> None:
    analysed = {"regression_analyses": {"enabled": True, "fail_test_on_regression": True}}
    folder = plan(analysed, folder=FOLDER)
    assert folder.baseline is not None
    assert folder.baseline.kind == "sqlite"
    assert folder.fail_test_on_regression
    assert folder.upload_lts_on_regression
    both = plan(analysed | {"opensearch": OPENSEARCH}, folder=FOLDER)
    assert both.baseline is not None
    assert both.baseline.kind == "opensearch"


def test_a_missing_secret_matters_where_a_failure_does() -> None:
    export = {"opensearch": OPENSEARCH | {"export": {"enabled": True}}}
    assert not plan(export).secrets_matter
    export["opensearch"]["export"] = {"enabled": True, "fail_test_on_fail": True}
    assert plan(export).secrets_matter


def test_a_test_name_alone_is_only_a_name() -> None:
    assert kinds({"horreum": {"test_name": "t"}}) == ["sqlite"]
    lts = {"horreum": {"test_name": "t", "instance": "i"}, "sqlite": {"export": {"enabled": False}}}
    assert kinds(lts) == ["horreum"]


@pytest.mark.parametrize(
    ("lts", "said"),
    [
        ({"generate": "maybe"}, "generate: 'maybe' is neither true nor false"),
        ({"opensearch": "yes"}, "opensearch.instance: 'yes' is no mapping"),
        ({"sqlite": {"directory": ["a"]}}, "sqlite.directory: .* is no text"),
        ({"horreum": {"instance": "i"}}, "horreum.test_name is empty"),
    ],
)
def test_a_value_of_another_kind_is_named(lts: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        plan(lts)


def read_secret(name: str) -> Secret:
    return Secret(INSTANCES.replace("}", ", api_key: key-of-horreum}"), name)


def opensearch(instance: str) -> Wanted:
    return Wanted("opensearch", {"instance": instance, "index": "i", "build_counter_index": ""})


@pytest.mark.parametrize(
    ("instance", "address"),
    [
        ("smoke", "OpenSearch https://search.example.com:9200/i"),
        ("local", "OpenSearch http://127.0.0.1:9201/i"),
        ("portless", "OpenSearch https://search.example.com/i"),
    ],
)
def test_an_instance_is_opened_with_its_password_masked(instance: str, address: str) -> None:
    history = open_history(opensearch(instance), read_secret)
    assert isinstance(history, OpenSearchHistory)
    assert history.address == address
    if instance != "portless":
        assert masking.mask("x correct-horse x") == "x *** x"
    history.close()


@pytest.mark.parametrize(
    ("instance", "said"),
    [
        ("smok", 'unknown instance "smok"; did you mean "smoke"'),
        ("broken", "instance broken has no host"),
        ("text", "instance text is no mapping"),
    ],
)
def test_an_instance_that_does_not_fit_is_named(instance: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        open_history(opensearch(instance), read_secret)


@pytest.mark.parametrize("text", ["a: [", "just text"])
def test_a_secret_file_that_is_none_is_named_and_not_shown(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"secret file opensearch.yaml") as caught:
        open_history(opensearch("smoke"), lambda _: Secret(text, "file"))
    assert text not in str(caught.value)


def test_horreum_and_sqlite_are_opened(tmp_path: Path) -> None:
    options = {"instance": "smoke", "test": "t", "owner": "", "access": "PUBLIC"}
    horreum = open_history(Wanted("horreum", options), read_secret)
    assert isinstance(horreum, HorreumHistory)
    assert masking.mask("key-of-horreum") == "***"
    sqlite = open_history(Wanted("sqlite", {"directory": str(tmp_path)}), read_secret)
    assert isinstance(sqlite, SqliteHistory)
    for history in (horreum, sqlite):
        history.close()

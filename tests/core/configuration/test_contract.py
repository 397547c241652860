"""Contracts: everything that does not fit is named at once, with its place."""

from __future__ import annotations

from typing import Any, Literal, Optional

import pytest

from projects.core.configuration.configuration import Configuration
from projects.core.configuration.contract import Contract, SecretFile
from projects.core.configuration.document import Document
from projects.core.errors import ConfigurationError
from projects.core.secrets.secret import Secret

TEXT = """\
gpu:
  replicas: 2
  names: [a, b]
  ratio: 1
  mode: fast
  labels: {x: 1}
  on: "yes"
  nothing: null
secrets: {file: token.txt}
token: "*$@secrets.file"
flag: true
"""


def findings(key: str, expected: Any) -> list[str]:
    configuration = Configuration(Document.loads(TEXT, "c.yaml"))
    contract = Contract("gpu_library", {key: expected})
    return [str(finding) for finding in contract.check(configuration)]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("gpu.replicas", int),
        ("gpu.replicas", float),
        ("gpu.replicas", Any),
        ("gpu.names", list),
        ("gpu.names", list[str]),
        ("gpu.ratio", int | str),
        ("gpu.mode", Literal["fast", "slow"]),
        ("gpu.labels", dict[str, int]),
        ("gpu.labels", dict),
        ("gpu.nothing", str | None),
        ("gpu.nothing", Optional[int]),  # noqa: UP045 (the older spelling has to work too)
        ("gpu.nothing", None),
        ("secrets.file", SecretFile),
        ("token", Secret),
        ("flag", bool),
    ],
)
def test_what_fits_is_not_mentioned(key: str, expected: Any) -> None:
    assert findings(key, expected) == []


@pytest.mark.parametrize(
    ("key", "expected", "message"),
    [
        ("gpu.replicas", str, "2:3: gpu_library needs gpu.replicas as str, it is the number 2"),
        ("gpu.replicas", bool, "2:3: gpu_library needs gpu.replicas as bool, it is the number 2"),
        ("gpu.True", bool, "7:3: gpu_library needs gpu.True as bool, it is the text 'yes'"),
        ("gpu.names", list[int], "3:3: gpu_library needs gpu.names as list[int], it is the list"),
        ("gpu.labels", dict[str, str], "6:3: gpu_library needs gpu.labels as dict[str, str], it"),
        ("gpu.mode", Literal["slow"], "5:3: gpu_library needs gpu.mode as Literal['slow'], it is"),
        ("gpu.nothing", SecretFile, "8:3: gpu_library needs gpu.nothing as the name of a secret f"),
        (
            "gpu.mode",
            Secret,
            "5:3: gpu_library needs gpu.mode as a secret (*$@key), it is the text",
        ),
        ("flag", int, "11:1: gpu_library needs flag as int, it is the boolean True"),
        ("token", str, "10:1: gpu_library needs token as str, it is a secret"),
        ("gpu.replica", int, '1:1: gpu_library needs the key "gpu.replica"; did you mean'),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(key: str, expected: Any, message: str) -> None:
    found = findings(key, expected)
    assert len(found) == 1
    assert found[0].startswith(f"c.yaml:{message}")


def test_require_names_everything_at_once() -> None:
    contract = Contract("gpu_library", {"gpu.replicas": str, "gpu.no": int, "gpu.mode": str})
    with pytest.raises(ConfigurationError) as caught:
        contract.require(Configuration(Document.loads(TEXT, "c.yaml")))
    lines = str(caught.value).splitlines()
    assert lines[0] == "the configuration is not what gpu_library needs:"
    assert [line.split(": ")[0].strip() for line in lines[1:]] == ["c.yaml:2:3", "c.yaml:1:1"]


def test_require_is_silent_when_all_fits() -> None:
    contract = Contract("gpu_library", {"gpu.replicas": int})
    contract.require(Configuration(Document.loads(TEXT, "c.yaml")))

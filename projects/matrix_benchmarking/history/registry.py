"""Which histories `matbench.lts` asks for, and how each is opened; the plan is pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from projects.core.errors import ConfigurationError, unknown
from projects.core.secrets import masking

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from projects.core.secrets.secret import Secret
    from projects.matrix_benchmarking.history.history import History

Kind = Literal["sqlite", "opensearch", "horreum"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One history that the configuration asks for; `options` are those of its kind."""

    kind: Kind
    options: Mapping[str, str]
    fail_test_on_fail: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done with the payloads of a run.

    `export` are the histories that they are appended to, `baseline` is the one that they are judged
    against, None if they are not. `generate`: whether payloads are written to files.
    """

    generate: bool = True
    export: tuple[Wanted, ...] = ()
    baseline: Wanted | None = None
    fail_test_on_regression: bool = False
    upload_lts_on_regression: bool = True
    notification_title: str | None = None
    build_counter: Wanted | None = None

    @property
    def secrets_matter(self) -> bool:
        """Whether a secret that cannot be read has to fail the test; else it is only told."""
        judged = self.baseline is not None and self.fail_test_on_regression
        return judged or any(wanted.fail_test_on_fail for wanted in self.export)


def plan(lts: Mapping[str, Any], *, replot: bool = False, folder: Path | None = None) -> Plan:
    """Return what `matbench.lts`, a mapping, asks for; what it doesn't say is off.

    A replot appends and judges only where `enabled_on_replot` is true. SQLite is on unless
    `sqlite.export.enabled` is false, in `sqlite.directory` else `folder`; without either it is
    off. The baseline is OpenSearch if it is configured, else SQLite, else Horreum.

    Errors
    ------
    ConfigurationError
        A key has a value of another kind, or export is enabled without its instance, index or
        test.
    """
    opensearch = _opensearch(lts)
    horreum = _horreum(lts)
    sqlite = _sqlite(lts, folder)
    known = {"opensearch": opensearch, "sqlite": sqlite, "horreum": horreum}
    export = tuple(
        wanted
        for name, wanted in known.items()
        if wanted is not None and _on(lts, f"{name}.export", replot, default=name != "opensearch")
    )
    analysed = _on(lts, "regression_analyses", replot, default=False)
    baseline = next((wanted for wanted in known.values() if wanted), None) if analysed else None
    counters = (wanted for wanted in (opensearch, sqlite) if wanted)
    notify = _flag(lts, "regression_analyses.notification.enabled", default=False)
    title = _text(lts, "regression_analyses.notification.title")
    return Plan(
        generate=_flag(lts, "generate", default=True),
        export=export,
        baseline=baseline,
        fail_test_on_regression=_flag(
            lts, "regression_analyses.fail_test_on_regression", default=False
        ),
        upload_lts_on_regression=_flag(
            lts, "regression_analyses.upload_lts_on_regression", default=True
        ),
        notification_title=title if notify else None,
        build_counter=next(counters, None),
    )


def _opensearch(lts: Mapping[str, Any]) -> Wanted | None:
    instance, index = _text(lts, "opensearch.instance"), _text(lts, "opensearch.index")
    if not instance or not index:
        if _flag(lts, "opensearch.export.enabled", default=False):
            missing = "index" if instance else "instance"
            raise ConfigurationError(
                f"matbench.lts.opensearch.export.enabled is true, but "
                f"matbench.lts.opensearch.{missing} is empty"
            )
        return None
    options = {
        "instance": instance,
        "index": _text(lts, "opensearch.index_prefix") + index,
        "build_counter_index": _text(lts, "opensearch.build_counter_index"),
    }
    fail = _flag(lts, "opensearch.export.fail_test_on_fail", default=False)
    return Wanted("opensearch", options, fail)


def _sqlite(lts: Mapping[str, Any], folder: Path | None) -> Wanted | None:
    directory = _text(lts, "sqlite.directory") or (str(folder) if folder else "")
    fail = _flag(lts, "sqlite.export.fail_test_on_fail", default=True)
    return Wanted("sqlite", {"directory": directory}, fail) if directory else None


def _horreum(lts: Mapping[str, Any]) -> Wanted | None:
    """Return Horreum's, if it has an instance; `test_name` alone was only noted in the seed."""
    test, instance = _text(lts, "horreum.test_name"), _text(lts, "horreum.instance")
    if not instance:
        return None
    if not test:
        raise ConfigurationError(
            "matbench.lts.horreum.instance is set, but matbench.lts.horreum.test_name is empty"
        )
    options = {
        "instance": instance,
        "test": test,
        "owner": _text(lts, "horreum.owner"),
        "access": _text(lts, "horreum.access") or "PUBLIC",
    }
    return Wanted("horreum", options, _flag(lts, "horreum.export.fail_test_on_fail", default=False))


def _on(lts: Mapping[str, Any], key: str, replot: bool, *, default: bool) -> bool:
    enabled = _flag(lts, f"{key}.enabled", default=default)
    return enabled and (not replot or _flag(lts, f"{key}.enabled_on_replot", default=False))


def _value(lts: Mapping[str, Any], key: str) -> Any:
    value: Any = lts
    for part in key.split("."):
        if value is None:
            return None
        if not isinstance(value, dict):
            raise ConfigurationError(f"matbench.lts.{key}: {value!r} is no mapping")
        value = value.get(part)
    return value


def _flag(lts: Mapping[str, Any], key: str, *, default: bool) -> bool:
    value = _value(lts, key)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise ConfigurationError(f"matbench.lts.{key}: {value!r} is neither true nor false")
    return value


def _text(lts: Mapping[str, Any], key: str) -> str:
    value = _value(lts, key)
    if isinstance(value, dict | list):
        raise ConfigurationError(f"matbench.lts.{key}: {value!r} is no text")
    return "" if value is None else str(value)


def open_history(wanted: Wanted, read_secret: Callable[[str], Secret]) -> History:
    """Return the history; `read_secret` returns the content of a file of the secrets directory.

    Errors
    ------
    SecretError
        A file with instances cannot be read.
    ConfigurationError
        It does not have the instance, or not what is needed of it.
    InfrastructureError
        The folder of SQLite cannot be used. Servers are not asked yet.
    """
    return OPENERS[wanted.kind](wanted.options, read_secret)


def _open_sqlite(options: Mapping[str, str], _: Callable[[str], Secret]) -> History:
    from projects.matrix_benchmarking.history.sqlite import SqliteHistory

    return SqliteHistory(Path(options["directory"]).expanduser())


def _open_opensearch(options: Mapping[str, str], read_secret: Callable[[str], Secret]) -> History:
    from projects.matrix_benchmarking.history.http import Server
    from projects.matrix_benchmarking.history.opensearch import OpenSearchHistory

    file = "opensearch.yaml"
    found = _instance(file, read_secret(file), options["instance"], ("host",))
    user, password = found.get("username", ""), found.get("password", "")
    server = Server(
        "OpenSearch",
        _base(found),
        auth=(user, password) if user or password else None,
        ca_file=found.get("ca_file") or None,
    )
    return OpenSearchHistory(server, options["index"], options["build_counter_index"])


def _open_horreum(options: Mapping[str, str], read_secret: Callable[[str], Secret]) -> History:
    from projects.matrix_benchmarking.history.horreum import HorreumHistory
    from projects.matrix_benchmarking.history.http import Server

    file = "horreum.yaml"
    found = _instance(file, read_secret(file), options["instance"], ("host", "api_key"))
    server = Server(
        "Horreum",
        _base(found),
        headers={"X-Horreum-API-Key": found["api_key"]},
        ca_file=found.get("ca_file") or None,
    )
    return HorreumHistory(server, options["test"], owner=options["owner"], access=options["access"])


OPENERS: dict[Kind, Callable[[Mapping[str, str], Callable[[str], Secret]], History]] = {
    "sqlite": _open_sqlite,
    "opensearch": _open_opensearch,
    "horreum": _open_horreum,
}
"""One line per kind."""

_MASKED = ("password", "api_key")


def _instance(file: str, text: str, instance: str, needed: tuple[str, ...]) -> dict[str, str]:
    """Return one instance of a file `{instance: {key: value}}`; its secrets are masked from now."""
    import yaml

    try:
        content = yaml.load(str(text), Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise ConfigurationError(f"secret file {file}{where}: no YAML") from None
    if not isinstance(content, dict):
        raise ConfigurationError(f"secret file {file}: a mapping of instances was expected")
    found = content.get(instance)
    if found is None:
        names = [str(name) for name in content]
        raise ConfigurationError(f"secret file {file}: {unknown('instance', instance, names)}")
    if not isinstance(found, dict):
        raise ConfigurationError(f"secret file {file}: instance {instance} is no mapping")
    values = {str(key): "" if value is None else str(value) for key, value in found.items()}
    for key in needed:
        if not values.get(key):
            raise ConfigurationError(f"secret file {file}: instance {instance} has no {key}")
    for key in _MASKED:
        if values.get(key):
            masking.register(values[key], f"{key} of {instance}")
    return values


def _base(instance: Mapping[str, str]) -> str:
    """Return the address of a server: https unless the host says otherwise."""
    host = instance["host"].rstrip("/")
    address = host if "://" in host else f"https://{host}"
    if not address.startswith(("https://", "http://")):
        raise ConfigurationError(f"host {host}: https://HOST was expected")
    return f"{address}:{instance['port']}" if instance.get("port") else address

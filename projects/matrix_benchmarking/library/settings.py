"""What `matbench.*` of the configuration asks for, read in one place."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from projects.core.errors import ConfigurationError, unknown
from projects.core.library import config
from projects.matrix_benchmarking.results.parser import workload_module, workload_package

if TYPE_CHECKING:
    from collections.abc import Mapping

    from projects.matrix_benchmarking.verdict.judge import Rules

PLOTS = "plots.yaml"
"""The file of a workload that nobody has to write: without it every plot is drawn."""

MISSING = object()
"""The default of `get` that tells a key that is missing from one that is null."""

_RULES = ("detector", "options", "kpis", "fdr", "least_effect", "least_history", "any_dependence")
_OF_ONE = ("detector", "options", "floor")
_SEED_DOTS = "...."  # the seed's template has `projects....visualizations...` where a name goes


@dataclass(frozen=True)
class Matbench:
    """The workload, where its `plots.yaml` is, and what `matbench.lts` says."""

    workload: str
    config_file: str
    lts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def plots_file(self) -> Path:
        """The path of the file that selects plots: absolute, or in `data/` of the workload."""
        module = workload_module(self.workload, "store")
        return Path(str(module.__file__)).parent / "data" / self.config_file

    @property
    def analyses(self) -> Mapping[str, Any]:
        """`matbench.lts.regression_analyses`."""
        found = self.lts.get("regression_analyses") or {}
        if not isinstance(found, dict):
            raise ConfigurationError(f"matbench.lts.regression_analyses: {found!r} is no mapping")
        return found

    @property
    def require_history(self) -> bool:
        """Whether a value without history ends with exit status 3."""
        return self.analyses.get("require_history") is True

    @property
    def fingerprint_keys(self) -> tuple[str, ...] | None:
        """Where two results have to agree to be comparable; None: in all keys."""
        keys = self.analyses.get("fingerprint_keys")
        return None if keys is None else tuple(map(str, keys))


def read() -> Matbench:
    """Return what the configuration of the running project says.

    Errors
    ------
    ConfigurationError
        There is no `matbench.workload`.
    """
    workload = str(get("workload") or "")
    if not workload or _SEED_DOTS in workload:
        raise ConfigurationError(
            "matbench.workload is not set: name the folder of the plots, PROJECT.NAME or "
            "projects.PROJECT.visualizations.NAME"
        )
    lts = get("lts") or {}
    if not isinstance(lts, dict):
        raise ConfigurationError(f"matbench.lts: {lts!r} is no mapping")
    return Matbench(workload_package(workload), str(get("config_file") or PLOTS), lts)


def get(key: str, default: Any = None) -> Any:
    """Return `matbench.KEY`, or `default` where it is missing."""
    return config.project.get_config(f"matbench.{key}", default, warn=False, print=False)


def rules_of(analyses: Mapping[str, Any]) -> Rules:
    """Return how to judge, from `matbench.lts.regression_analyses`.

    `detector`, `options`, `fdr`, `least_effect`, `least_history`, `any_dependence` are for all
    KPIs; `kpis: {NAME: {detector, options, floor}}` for single ones.

    Errors
    ------
    ConfigurationError
        A KPI has an unknown key, with the nearest.
    """
    from projects.matrix_benchmarking.verdict.judge import Rules

    given = {key: analyses[key] for key in _RULES if analyses.get(key) is not None}
    detectors, floors = {}, {}
    for name, one in (given.pop("kpis", None) or {}).items():
        for key in one:
            if key not in _OF_ONE:
                where = f"key of matbench.lts.regression_analyses.kpis.{name}"
                raise ConfigurationError(unknown(where, str(key), _OF_ONE))
        if "detector" in one:
            detectors[name] = (one["detector"], one.get("options") or {})
        if "floor" in one:
            floors[name] = float(one["floor"])
    return Rules(detectors=detectors, floors=floors, **given)

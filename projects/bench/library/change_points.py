"""How well and how fast detectors find changes in made-up series, all in one run."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projects.bench.library.labelled_series import Labelled, Score
    from projects.bench.library.result import Result

_log = logging.getLogger(__name__)

OURS = "topgallant"
PEERS = {"otava": "apache-otava", "kernel": "ruptures"}
"""The detectors beside ours, and the distribution that each is of."""

F1_BARS = {"gaussian": 0.95, "lognormal": 0.85, "bimodal": 0.90, "ar1": 0.75}
ALARMED_BAR = 0.02
_NO_BAR = "-"


def case(detector: str) -> str:
    """Return what the time of a detector is recorded under."""
    return f"{detector}: one series"


def measure(
    result: Result,
    *,
    rounds: int,
    series: int,
    length: int,
    effect: float,
    detectors: Sequence[str] = (OURS, *PEERS),
) -> None:
    """Let every detector look at the same series, one after the other, and note what it found.

    A round has `series` series of each family from seeds of its own, a quarter of them without a
    change; each sample is the mean time of one series in one round: processor time, which is what
    a detector needs on a machine that others use too. Imports and first calls do not count.
    """
    # Late: every command of the group imports this module, and numpy takes 60 ms.
    from importlib.metadata import version

    from projects.bench.library import labelled_series
    from projects.matrix_benchmarking.verdict.detect import available, detect

    for missing in [name for name in detectors if not available(name)]:
        _log.warning("%s is not installed (requirements-detectors.lock): left out", PEERS[missing])
    detectors = [name for name in detectors if available(name)]
    families = labelled_series.FAMILIES
    seeds = iter(labelled_series.REPORTED_SEEDS)
    totals = {
        (family, detector): labelled_series.Score() for family in families for detector in detectors
    }
    for _ in range(rounds):
        own = [next(seeds) for _ in range(series)]
        made = [
            labelled
            for family in families
            for labelled in labelled_series.generate_many(family, own, length=length, effect=effect)
        ]
        for detector in detectors:
            detect(made[0].values, detector)
            spent = 0.0
            for labelled in made:
                seconds, found = _timed(labelled, detector)
                spent += seconds
                totals[labelled.family, detector] += found
            result.seconds.setdefault(case(detector), []).append(spent / len(made))
    result.scores = {
        f"{family}: {detector}": _figures(total) for (family, detector), total in totals.items()
    }
    result.versions |= {
        name: version(name) for name in ("numpy", *(PEERS[d] for d in detectors if d in PEERS))
    }


def table(result: Result) -> list[list[str]]:
    """Return a row of text for each family and detector: precision, recall, F1, bar, alarmed."""
    rows = []
    for name, figures in result.scores.items():
        family, _, detector = name.partition(": ")
        bar = F1_BARS.get(family) if detector == OURS else None
        rows.append(
            [
                family,
                detector,
                f"{figures['precision']:.3f}",
                f"{figures['recall']:.3f}",
                f"{figures['f1']:.3f}",
                _NO_BAR if bar is None else f"≥ {bar:.2f}",
                f"{figures['clean_alarmed']:.0f} of {figures['clean']:.0f}",
            ]
        )
    return rows


TITLES = ("noise", "detector", "precision", "recall", "F1", "bar", "clean series alarmed")


def _timed(labelled: Labelled, detector: str) -> tuple[float, Score]:
    from projects.bench.library.labelled_series import score
    from projects.matrix_benchmarking.verdict.detect import detect

    started = time.thread_time()
    changes = detect(labelled.values, detector)
    seconds = time.thread_time() - started
    return seconds, score(labelled, [change.index for change in changes])


def _figures(total: Score) -> dict[str, float]:
    return {
        "precision": total.precision,
        "recall": total.recall,
        "f1": total.f1,
        "clean": total.clean,
        "clean_alarmed": total.clean_alarmed,
    }

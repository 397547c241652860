"""Which p-values of a run count."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from projects.matrix_benchmarking.verdict.fdr import discoveries

P_VALUES = st.lists(st.floats(0, 1), max_size=50)


def test_the_example_of_benjamini_and_hochberg() -> None:
    # Controlling the False Discovery Rate, 1995, section 3.2: four of fifteen at 0.05.
    p_values = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344]
    p_values += [0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    assert sum(discoveries(p_values, 0.05)) == 4
    assert sum(discoveries(p_values, 0.05, any_dependence=True)) == 3


def test_nan_neither_counts_nor_is_counted() -> None:
    assert discoveries([math.nan, 0.009, math.nan]) == [False, True, False]
    assert discoveries([]) == []


@given(P_VALUES, st.randoms())
def test_order_does_not_matter(p_values: list[float], random: object) -> None:
    order = list(range(len(p_values)))
    random.shuffle(order)  # type: ignore[attr-defined]
    counted = discoveries(p_values, 0.1)
    assert discoveries([p_values[k] for k in order], 0.1) == [counted[k] for k in order]


@given(P_VALUES)
def test_dependence_is_never_less_strict(p_values: list[float]) -> None:
    strict = discoveries(p_values, 0.1, any_dependence=True)
    plain = discoveries(p_values, 0.1)
    assert all(not one or other for one, other in zip(strict, plain, strict=True))

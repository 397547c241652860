"""Words are bound to parameters, or it is said why not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.errors import UsageError
from projects.core.words.arguments import (
    bind,
    bind_entrypoint,
    is_flag,
    split_entrypoint_words,
)
from projects.core.words.signature import Signature


def scale(
    count: int, kind: str = "small", *, dry_run: bool = False, tag: str | None = None
) -> None:
    pass


def gather(first: str, /, second: int = 2, *rest: str, **more: int) -> None:
    pass


def call(*argv: str, function: Any = scale) -> tuple[tuple[Any, ...], dict[str, Any]]:
    bound = bind(argv, Signature.of(function))
    return bound.args, bound.kwargs


@pytest.mark.parametrize(
    ("argv", "kwargs"),
    [
        (["3"], {"count": 3}),
        (["--count=3"], {"count": 3}),
        (["--count", "3"], {"count": 3}),
        (["-3"], {"count": -3}),
        (["--count", "-3"], {"count": -3}),
        (["3", "01"], {"count": 3, "kind": "01"}),
        (["3", "--dry-run"], {"count": 3, "dry_run": True}),
        (["--dry_run", "3"], {"count": 3, "dry_run": True}),
        (["3", "--no-dry-run"], {"count": 3, "dry_run": False}),
        (["3", "--dry-run=no"], {"count": 3, "dry_run": False}),
        (["3", "--tag=null"], {"count": 3, "tag": None}),
        (["3", "--tag="], {"count": 3, "tag": ""}),
        (["3", "--tag=a=b"], {"count": 3, "tag": "a=b"}),
        (["3", "--", "--dry-run"], {"count": 3, "kind": "--dry-run"}),
        (["3", "-"], {"count": 3, "kind": "-"}),
        (["--kind=x", "3"], {"count": 3, "kind": "x"}),
    ],
)
def test_words_are_bound(argv: list[str], kwargs: dict[str, Any]) -> None:
    assert call(*argv) == ((), kwargs)


@pytest.mark.parametrize(
    ("argv", "args", "kwargs"),
    [
        (["a"], ("a",), {}),
        (["a", "5", "01", "c"], ("a", 5, "01", "c"), {}),
        (["a", "--rest=01,c"], ("a", 2, "01", "c"), {}),
        (["a", "--extra=7"], ("a",), {"extra": 7}),
    ],
)
def test_words_of_every_kind(argv: list[str], args: tuple[Any, ...], kwargs: Any) -> None:
    assert call(*argv, function=gather) == (args, kwargs)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "a parameter is missing: --count=<int>"),
        (["two"], 'count: "two" is not an int'),
        (["--count=two"], '--count: "two" is not an int'),
        (
            ["3", "--knd=x"],
            'unknown flag "--knd"; did you mean "--kind"? Possible: --count, --kind',
        ),
        (["3", "-k", "x"], 'unknown flag "-k"'),
        (["3", "--tag"], "--tag needs a value: --tag=<str | null>"),
        (["3", "--tag", "--dry-run"], "--tag needs a value"),
        (["3", "--tag=a", "--tag=b"], "--tag is given twice"),
        (["3", "--dry-run", "--no-dry-run"], "--dry_run is given twice"),
        (["3", "--no-dry-run=yes"], "--no-dry-run takes no value"),
        (["3", "--no-kind"], 'unknown flag "--no-kind"'),
        (["3", "a", "b"], '"b": more words than scale takes; it takes count, kind'),
    ],
)
def test_words_that_do_not_fit(argv: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        call(*argv)
    assert message in str(caught.value)


words = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.sampled_from(
            ["--count", "--count=3", "--dry-run", "--no-dry-run", "--", "-", "--x", "3"]
        ),
    ),
    max_size=6,
)


@given(words, st.sampled_from([scale, gather]))
def test_bind_never_fails_but_with_a_usage_error(argv: list[str], function: Any) -> None:
    try:
        bound = bind(argv, Signature.of(function))
    except UsageError:
        return
    function(*bound.args, **bound.kwargs)


@given(words)
def test_bind_entrypoint_never_fails_but_with_a_usage_error(argv: list[str]) -> None:
    try:
        bound, presets, overrides = bind_entrypoint(argv, Signature.of(scale))
    except UsageError:
        return
    scale(*bound.args, **bound.kwargs)
    assert all(presets)
    assert all(override.key for override in overrides)


def test_presets_and_overrides_are_told_apart() -> None:
    presets, overrides = split_entrypoint_words(
        ["quick", "a.b=[1,100]", "x=", 'a["b=c"].d=yes', "y=a=b"]
    )
    assert presets == ["quick"]
    assert overrides == [
        ("a.b", [1, 100], "a.b=[1,100]"),
        ("x", None, "x="),
        ('a["b=c"].d', True, 'a["b=c"].d=yes'),
        ("y", "a=b", "y=a=b"),
    ]


@pytest.mark.parametrize("word", ["=3", "", "a=[1", "a=!!python/none ''"])
def test_words_that_are_neither(word: str) -> None:
    with pytest.raises(UsageError):
        split_entrypoint_words([word])


def test_required_parameters_of_an_entrypoint_come_first() -> None:
    def rebuild(pr_number: int, mute: bool = False) -> None:
        pass

    signature = Signature.of(rebuild)
    bound, presets, overrides = bind_entrypoint(["12", "quick", "--mute", "a=1"], signature)
    assert (bound.kwargs, presets) == ({"pr_number": 12, "mute": True}, ["quick"])
    assert [override.word for override in overrides] == ["a=1"]
    bound, presets, _ = bind_entrypoint(["quick", "--pr-number=12"], signature)
    assert (bound.kwargs, presets) == ({"pr_number": 12}, ["quick"])


def test_numbers_are_no_flags() -> None:
    assert [is_flag(word) for word in ("-1", "-.5", "-", "--", "-x", "--x", "x")] == [
        False, False, False, True, True, True, False,
    ]  # fmt: skip

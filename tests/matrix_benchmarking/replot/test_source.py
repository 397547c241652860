"""An address is a source, or the message lists the forms that are possible."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.destinations.hub_address import HubRun
from projects.core.destinations.s3_keys import Place, browse_address
from projects.core.errors import TopgallantError, UsageError
from projects.matrix_benchmarking.replot.source import Bucket, Directory, parse_source


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/runs/a b", "/runs/a b"),
        ("runs/one", "runs/one"),
        ("~/runs", f"{Path.home()}/runs"),
        ("file:///runs/a%20b", "/runs/a b"),
        ("file://localhost/runs", "/runs"),
        ("odd/s3://name", "odd/s3:/name"),
    ],
)
def test_a_directory(given: str, path: str) -> None:
    assert parse_source(given) == Directory(given, Path(path))


@pytest.mark.parametrize(
    ("given", "bucket", "prefix", "endpoint"),
    [
        ("s3://bucket/prow/1/2", "bucket", "prow/1/2", None),
        ("s3://bucket/prow/1/2/manifest.json", "bucket", "prow/1/2", None),
        ("s3://bucket", "bucket", "", None),
        ("https://bucket.s3.amazonaws.com/index.html#prow/1/2/", "bucket", "prow/1/2", None),
        ("https://my.bucket.s3.eu-west-1.amazonaws.com/prow/1/2/", "my.bucket", "prow/1/2", None),
        ("https://bucket.s3.amazonaws.com/a%20b", "bucket", "a b", None),
        ("https://s3.eu-west-1.amazonaws.com/bucket/prow/1", "bucket", "prow/1", None),
        ("https://s3.amazonaws.com/bucket/index.html#prow/1/", "bucket", "prow/1", None),
        ("http://127.0.0.1:9000/bucket/index.html#a/b/", "bucket", "a/b", "http://127.0.0.1:9000"),
    ],
)
def test_a_place_in_a_bucket(given: str, bucket: str, prefix: str, endpoint: str | None) -> None:
    assert parse_source(f" {given}\n") == Bucket(f" {given}\n", Place(bucket, prefix), endpoint)


@pytest.mark.parametrize("end", ["", "/", "/files/a"])
def test_a_run_in_a_hub(end: str) -> None:
    address = f"http://127.0.0.1:8000/artifacts/kw0dZmh4R42lb2yZH7kGBA{end}"
    assert parse_source(address) == HubRun(
        address, "http://127.0.0.1:8000", "kw0dZmh4R42lb2yZH7kGBA"
    )


@given(
    prefix=st.lists(st.text("ab %#é", min_size=1), min_size=1, max_size=3).map("/".join),
    endpoint=st.sampled_from([None, "https://s3.example.com:8443", "http://host/under"]),
)
def test_what_export_writes_is_read(prefix: str, endpoint: str | None) -> None:
    place = Place("bucket", prefix)
    address = browse_address(endpoint or "https://s3.amazonaws.com", place)
    assert parse_source(address) == Bucket(address, place, endpoint)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "is empty; possible are:"),
        ("hub://server/runs/1", "of a hub, give the address of the run"),
        ("ftp://host/x", "unknown kind of address; possible are:"),
        ("https://example.com/runs/1", "no address of artifacts that is known; possible"),
        ("https://bucket.s3.amazonaws.com/index.html", "the page of the whole bucket"),
        ("https://bucket.s3.amazonaws.com/x?versionId=1", "no address of artifacts"),
        ("file://server/x", "write file:///DIRECTORY"),
        ("s3://bucket/../x", "leads upwards"),
    ],
)
def test_other_addresses_are_refused_with_the_possible_forms(given: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_source(given)


@given(st.text(max_size=60) | st.text("s3htp:/.#%@?[]ab", max_size=30))
def test_any_text_is_a_source_or_an_error_of_ours(given: str) -> None:
    with suppress(TopgallantError):
        parse_source(given)

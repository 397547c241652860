"""Paths become keys and back, places become addresses and back."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.destinations import s3_keys
from projects.core.destinations.manifest import is_inside
from projects.core.destinations.s3_keys import Place
from projects.core.errors import UsageError

PLACE = Place("bucket", "a/b")
PATHS = (
    st.binary(min_size=1, max_size=30)
    .map(os.fsdecode)
    .filter(lambda path: is_inside(path) and not path.startswith(".topgallant-export"))
    .filter(lambda path: path != "manifest.json")
)


@given(PATHS)
def test_every_path_has_a_key_that_leads_back(path: str) -> None:
    key = PLACE.key_of(path)
    key.encode()
    assert PLACE.path_of(key) == path


@given(PATHS, PATHS)
def test_two_paths_have_two_keys(one: str, other: str) -> None:
    assert (PLACE.key_of(one) == PLACE.key_of(other)) == (one == other)


@pytest.mark.parametrize(
    "key", ["a/b/manifest.json", "a/b/.topgallant-export/lock", "a/b/", "a/bc", "x"]
)
def test_what_is_no_file_of_an_export_has_no_path(key: str) -> None:
    assert PLACE.path_of(key) is None


@pytest.mark.parametrize(
    ("address", "bucket", "prefix"),
    [
        ("s3://bucket/a/b", "bucket", "a/b"),
        ("S3://my.bucket-1//a/b/", "my.bucket-1", "a/b"),
        ("s3://bucket", "bucket", ""),
        ("s3://bucket/ü %/#?", "bucket", "ü %/#?"),
    ],
)
def test_an_address_names_a_place(address: str, bucket: str, prefix: str) -> None:
    assert s3_keys.parse(address) == Place(bucket, prefix)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("s3://", "no place in S3: write s3://bucket/prefix"),
        ("http://bucket/x", "no place in S3"),
        ("s3:///x", "no place in S3"),
        ("s3://My_Bucket/x", '"My_Bucket" is no name of a bucket'),
        ("s3://bucket/a/../b", "leads upwards"),
        ("s3://bucket/a//b", "an empty part"),
    ],
)
def test_what_is_no_place_is_said(address: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        s3_keys.parse(address)


def test_the_page_of_amazon_has_the_bucket_in_its_host() -> None:
    address = "https://bucket.s3.amazonaws.com/index.html#a/b/"
    for endpoint in ("https://s3.amazonaws.com", "https://s3.eu-west-1.amazonaws.com"):
        assert s3_keys.browse_address(endpoint, PLACE) == address
    assert s3_keys.parse_browse(address) == (PLACE, None)


SEGMENT = st.text("ab1é %#?&+=日", min_size=1, max_size=5)


@given(
    prefix=st.lists(SEGMENT, min_size=1, max_size=3).map("/".join),
    endpoint=st.sampled_from(
        ["http://127.0.0.1:9000", "https://minio.example.com", "https://example.com/s3"]
    ),
)
def test_the_page_of_another_server_leads_back(prefix: str, endpoint: str) -> None:
    address = s3_keys.browse_address(endpoint, Place("bucket", prefix))
    assert address.startswith(f"{endpoint}/bucket/index.html#")
    assert s3_keys.parse_browse(address) == (Place("bucket", prefix), endpoint)


@pytest.mark.parametrize(
    "address",
    [
        "s3://bucket/a",
        "/index.html",
        "https://example.com/index.html#a/",
        "https://bucket.s3.amazonaws.com/deep/index.html#a/",
        "https://bucket.s3.amazonaws.com/index.htm#a/",
    ],
)
def test_other_addresses_are_no_page(address: str) -> None:
    assert s3_keys.parse_browse(address) is None


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a/FAILURE", "text/plain; charset=utf-8"),
        ("a/_run.log", "text/plain; charset=utf-8"),
        ("reports_index.HTML", "text/html; charset=utf-8"),
        ("fig.png", "image/png"),
        ("db.sqlite", "application/octet-stream"),
    ],
)
def test_a_browser_shows_logs_and_reports(path: str, kind: str) -> None:
    assert s3_keys.content_type(path) == kind

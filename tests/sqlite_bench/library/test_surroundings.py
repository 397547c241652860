from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.sqlite_bench.library.surroundings import (
    UNKNOWN,
    describe,
    mount_of,
    mounts,
    processor,
)

# The first five lines are those of a laptop, the last has a space in its name.
MOUNTINFO = r"""22 28 0:20 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw
28 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw,errors=remount-ro
97 28 0:49 / /tmp rw,nosuid,nodev shared:51 - tmpfs tmpfs rw,size=8118844k,inode64
101 28 259:1 / /home rw,noatime shared:53 - btrfs /dev/mapper/home rw,compress=zstd:3,ssd
102 101 0:50 / /home/me/far rw,relatime - nfs4 server:/export rw,vers=4.2
103 28 8:1 / /media/my\040disk rw - vfat /dev/sda1 rw
"""


@pytest.mark.parametrize(
    ("directory", "file_system", "device"),
    [
        ("/", "ext4", "/dev/nvme0n1p2"),
        ("/var/lib", "ext4", "/dev/nvme0n1p2"),
        ("/tmp/x", "tmpfs", "tmpfs"),
        ("/home/me", "btrfs", "/dev/mapper/home"),
        ("/home/me/far/away", "nfs4", "server:/export"),
        ("/homeless", "ext4", "/dev/nvme0n1p2"),
        ("/media/my disk/data", "vfat", "/dev/sda1"),
    ],
)
def test_the_deepest_mount_is_where_a_directory_lies(
    directory: str, file_system: str, device: str
) -> None:
    found = mount_of(Path(directory), mounts(MOUNTINFO))
    assert (found.file_system, found.device) == (file_system, device)


def test_the_options_of_the_mount_and_of_the_file_system_are_both_kept() -> None:
    home = mount_of(Path("/home"), mounts(MOUNTINFO))
    assert home.options == "rw,noatime,compress=zstd:3,ssd"


def test_the_last_mount_at_a_place_hides_the_others() -> None:
    over = MOUNTINFO + "110 28 0:60 / /tmp rw - ext4 /dev/sdb1 rw\n"
    assert mount_of(Path("/tmp/x"), mounts(over)).file_system == "ext4"


def test_a_system_without_mountinfo_is_unknown_and_not_an_error() -> None:
    assert mount_of(Path("/anywhere"), mounts("")).file_system == UNKNOWN


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    mount_of(Path("/"), mounts(text))
    processor(text)


def test_the_processor_s_name_is_found() -> None:
    assert processor("processor\t: 0\nmodel name\t: AMD EPYC 7763\n") == "AMD EPYC 7763"
    assert processor("Hardware: something else") == UNKNOWN


def test_a_description_says_what_is_needed_to_judge(tmp_path: Path) -> None:
    seen = describe(tmp_path)
    assert seen["directory"] == str(tmp_path)
    assert seen["cpu_count"] == os.cpu_count()
    assert all(value not in ("", None) for value in seen.values())

from __future__ import annotations

import os
import re
from pathlib import Path

from projects.jobs.process.orders import ProcessLimits
from projects.jobs.process.output import BoundedLog
from tests.jobs.process.house import House

LIMIT = 64 * 1024


def test_a_short_job_that_prints_much_is_shortened_at_its_end(house: House) -> None:
    order = house.sh(1, "seq 1 100000", limits=ProcessLimits(output_bytes=LIMIT))
    end = house.perform(order)
    text = house.log(1)
    assert end.exit_code == 0
    assert len(text) <= LIMIT
    assert text.startswith(b"1\n2\n3\n")
    assert text.endswith(b"99999\n100000\n")
    found = re.search(rb"\n\[\xe2\x80\xa6 (\d+) bytes left out \xe2\x80\xa6\]\n", text)
    assert found
    whole = sum(len(str(number)) + 1 for number in range(1, 100001))
    assert len(text) - len(found[0]) + int(found[1]) == whole
    assert any("bytes of its output were left out" in note for note in end.notes)


def test_a_long_job_never_fills_the_disk(house: House) -> None:
    order = house.sh(1, "yes | head -c 20000000; sleep 9", limits=ProcessLimits(output_bytes=LIMIT))
    house.backend.launch(order)
    house.started(1)
    path = house.root / "logs" / "1" / "stdout.log"
    house.until(lambda: path.stat().st_size == 20_000_000)
    house.until(lambda: path.stat().st_blocks * 512 <= 2 * LIMIT)
    house.backend.stop(1, 1, "enough")
    house.ended(1)
    assert path.stat().st_size <= LIMIT


def test_a_file_below_its_limit_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * LIMIT)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    log = BoundedLog(descriptor, LIMIT)
    assert log.check()
    assert log.compact() == 0
    os.close(descriptor)
    assert path.read_bytes() == b"x" * LIMIT


def test_where_the_disk_cant_take_a_hole_the_job_is_told_so(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    from projects.jobs.process import kernel

    assert not kernel.punch_hole(writing, 0, 4096)
    os.close(writing)

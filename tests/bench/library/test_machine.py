"""What the record of the machine says."""

from __future__ import annotations

from projects.bench.library.machine import describe_machine, memory_gib, processor_name


def test_the_processor_is_named_once() -> None:
    text = "processor\t: 0\nmodel name\t: Some  CPU @ 2.00GHz\nmodel name\t: other\n"
    assert processor_name(text) == "Some CPU @ 2.00GHz"
    assert processor_name("nothing: here\n") is None


def test_memory_is_in_gib() -> None:
    assert memory_gib("MemFree: 1 kB\nMemTotal:       16384000 kB\n") == 15.6
    assert memory_gib("") is None


def test_the_machine_has_cores_and_a_python_and_no_name() -> None:
    said = describe_machine()
    assert said["cores"] >= 1
    assert said["interpreter"].split()[1].count(".") == 2
    assert not {"host", "hostname", "node"} & set(said)

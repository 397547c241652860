"""The environment a result was measured in, as far as numbers depend on it."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Scalar: TypeAlias = str | int | float | bool | None

FILE = "fingerprint.yaml"
PRESSURE = "pressure"
"""The share of the time in which work waited for a processor: measured, never compared."""

COMPARED = ("processor", "cores", "governor", "memory_gib", "kernel", "python")
"""Keys in which two results have to agree to be comparable, unless somebody says otherwise."""

_MOST_BYTES = 1024 * 1024
_GIBIBYTE = 1024**2  # in KiB


def take(more: Mapping[str, Scalar] | None = None, system: Path = Path("/")) -> dict[str, Scalar]:
    """Return what this machine is; `more` are keys that a project adds or replaces.

    Processor and memory in GiB (rounded, as kernels keep a little for themselves) are read from
    /proc (proc_cpuinfo(5), proc_meminfo(5)), the governor of the first processor from /sys.
    What the system does not tell is None.
    """
    found: dict[str, Scalar] = {
        "processor": _line(_read(system / "proc/cpuinfo"), "model name") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "governor": _read(system / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").strip()
        or None,
        "memory_gib": _gibibytes(_line(_read(system / "proc/meminfo"), "MemTotal")),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }
    return found | dict(more or {})


def write(directory: Path, more: Mapping[str, Scalar] | None = None) -> dict[str, Scalar]:
    """Write the fingerprint of this machine beside results, and return it."""
    from projects.core.configuration.document import dump

    found = take(more)
    (directory / FILE).write_text(dump(found), encoding="utf-8")
    return found


def identity(fingerprint: Mapping[str, Scalar], keys: Sequence[str] = COMPARED) -> str:
    """Return a short text, the same for fingerprints that agree in `keys`.

    Empty where none of the keys is known: then nobody can tell.
    """
    compared = sorted(set(keys) - {PRESSURE})
    known = {key: fingerprint[key] for key in compared if fingerprint.get(key) is not None}
    if not known:
        return ""
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()[:16]


def pressure_of(fingerprint: Mapping[str, Scalar]) -> float:
    """Return the share of the time in which work waited for a processor; 0 if nobody looked."""
    found = fingerprint.get(PRESSURE)
    return min(max(float(found), 0.0), 1.0) if isinstance(found, int | float) else 0.0


def differences(
    one: Mapping[str, Scalar], other: Mapping[str, Scalar], keys: Sequence[str] = COMPARED
) -> dict[str, tuple[Scalar, Scalar]]:
    """Return the keys in which two fingerprints differ, with both values."""
    return {key: (one.get(key), other.get(key)) for key in keys if one.get(key) != other.get(key)}


def _line(text: str, name: str) -> str:
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return " ".join(value.split())
    return ""


def _gibibytes(text: str) -> float | None:
    number = text.partition(" ")[0]
    return round(int(number) / _GIBIBYTE, 1) if number.isdecimal() else None


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""

"""The environment variables that measured programs see: the user's, without what sways times."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_OURS = ("ARTIFACT_", "TOPGALLANT_", "TOPSAIL_", "PYTHON")
_EXACTLY_OURS = {"CI", "SHARED_DIR", "OPENSHIFT_CI", "PERFLAB_CI", "VIRTUAL_ENV"}

_WHERE_WE_ARE = ("TOPGALLANT_VENV",)
"""Says nothing of a run; without it a checkout would make itself an environment while measured."""


def our_environment(environ: Mapping[str, str], artifact_dir: Path) -> dict[str, str]:
    """Return the environment of a run that is no child of ours and leaves all in `artifact_dir`."""
    place = {name: environ[name] for name in _WHERE_WE_ARE if name in environ}
    return _neutral(environ) | place | {"ARTIFACT_DIR": str(artifact_dir)}


def peers_environment(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return the environment of the peers; what they leave in a home goes to `home`."""
    return _neutral(environ) | {"HOME": str(home), "LC_ALL": "C.UTF-8"}


def _neutral(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in environ.items()
        if name not in _EXACTLY_OURS and not name.startswith(_OURS)
    }
    return kept | {"NO_COLOR": "1"}

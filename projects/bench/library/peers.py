"""The peers we are measured against, and the environment of their own that they live in."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from projects.core.errors import InfrastructureError

if TYPE_CHECKING:
    from collections.abc import Collection

Peer = Literal[
    "ansible",
    "awscli",
    "huey",
    "hydra",
    "hyperqueue",
    "obstore",
    "omegaconf",
    "pyinfra",
    "ray",
    "reframe",
    "s5cmd",
    "tmt",
]

DISTRIBUTIONS: dict[str, str] = {
    "ansible": "ansible-core",
    "awscli": "awscli",
    "huey": "huey",
    "hydra": "hydra-core",
    "hyperqueue": "hyperqueue",
    "obstore": "obstore",
    "omegaconf": "omegaconf",
    "pyinfra": "pyinfra",
    "ray": "ray",
    "reframe": "reframe-hpc",
    "s5cmd": "s5cmd",
    "tmt": "tmt",
}
"""The distribution that each peer comes in."""

CHECKOUT = Path(__file__).resolve().parents[3]
"""The root of the checkout this file is part of."""

ENVIRONMENT = CHECKOUT / ".venv.peers"
LOCK_FILE = Path(__file__).resolve().parents[1] / "peers" / "requirements.lock"
_STAMP = "installed-lock.sha256"


def program(name: str, environment: Path = ENVIRONMENT) -> str:
    """Return the path of a program of the peers' environment."""
    return str(environment / "bin" / name)


def is_installed(environment: Path = ENVIRONMENT, lock_file: Path = LOCK_FILE) -> bool:
    """Return whether the environment holds exactly what the lock file says."""
    try:
        stamp = (environment / _STAMP).read_text(encoding="utf-8")
    except OSError:
        return False
    return stamp == _fingerprint(lock_file)


def require_installed(
    peers: Collection[str], environment: Path = ENVIRONMENT, lock_file: Path = LOCK_FILE
) -> None:
    """Raise an InfrastructureError when peers are asked for and their environment is not there."""
    if peers and not is_installed(environment, lock_file):
        raise InfrastructureError(
            f"{environment} is missing or not what {lock_file.name} says, and peers are asked for: "
            f"{', '.join(peers)}. Make it with ./run_toolbox.py bench prepare_ci, or measure "
            "without peers with the preset quick."
        )


def mark_installed(environment: Path = ENVIRONMENT, lock_file: Path = LOCK_FILE) -> None:
    """Note which lock file the environment was installed from."""
    (environment / _STAMP).write_text(_fingerprint(lock_file), encoding="utf-8")


def _fingerprint(lock_file: Path) -> str:
    import hashlib

    return hashlib.sha256(lock_file.read_bytes()).hexdigest()


def versions(peers: Collection[str], environment: Path = ENVIRONMENT) -> dict[str, str]:
    """Return the installed version by peer, and that of the environment's Python."""
    wanted = {peer: DISTRIBUTIONS[peer] for peer in peers}
    script = (
        "import importlib.metadata, json, platform, sys;"
        "print(json.dumps({peer: importlib.metadata.version(name)"
        " for peer, name in json.loads(sys.argv[1]).items()}"
        " | {'python of the peers': platform.python_version()}))"
    )
    ended = subprocess.run(
        [program("python", environment), "-c", script, json.dumps(wanted)],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    found: dict[str, str] = json.loads(ended.stdout)
    return found

"""The doors that projects import: `env`, `config`, `run`, `export`, `configure_logging`."""

from __future__ import annotations


def configure_logging() -> None:
    """Show messages from INFO on, when nothing else was decided.

    Within a run there is nothing to do: the run shows and keeps what is logged. Without one (a
    notebook, a script) this is `logging.basicConfig` at INFO.
    """
    import logging

    root = logging.getLogger()
    if not root.handlers:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    if root.level == logging.WARNING:
        root.setLevel(logging.INFO)

"""The decorator of the functions that CI calls: configuration, secrets and a run around them."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from projects.core import errors
from projects.core.artifacts import directory, journal
from projects.core.commands import session
from projects.core.commands.entrypoint import PREPARE_MARK, call_entrypoint
from projects.core.library import config

if TYPE_CHECKING:
    from collections.abc import Callable

    from projects.core.configuration.configuration import Configuration

    Function = TypeVar("Function", bound=Callable[..., Any])


def entrypoint(
    ignore_secret_path: bool = False, apply_preset_from_pr_args: bool = True
) -> Callable[[Function], Function]:
    """Make a function of `testing/test.py` an entrypoint.

    Before its first line the configuration of the folder is loaded, and if it names a secrets
    directory (`secrets.dir.env_key`), that directory must be there and its contents are masked
    from here on.

    Parameters
    ----------
    ignore_secret_path
        The secrets directory may be missing.
    apply_preset_from_pr_args
        The words of the CI's directive (`/test NAME word …`) are presets.
    """

    def decorate(function: Function) -> Function:
        testing_dir = Path(function.__code__.co_filename).resolve().parent

        def prepare(words: session.Words) -> Configuration:
            """Load the configuration before there is a run: a mistake in it shall cost none."""
            place = session.given_place(os.environ)
            return config.load(
                testing_dir,
                os.environ,
                artifact_dir=place.top if place else None,
                apply_preset_from_pr_args=apply_preset_from_pr_args,
                presets=words.presets,
                overrides=words.overrides,
            )

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            run = session.current()
            if run is not None and run.prepared is not None:
                prepared, run.prepared = run.prepared, None
                config.use(prepared, testing_dir)
            config.init(testing_dir, apply_preset_from_pr_args)
            prepare_secrets(ignore_missing=ignore_secret_path)
            return function(*args, **kwargs)

        @functools.wraps(function)
        def enter(*args: Any, **kwargs: Any) -> Any:
            if session.current() is not None:
                around = journal.current_span()
                if around and (around.kind, around.name) == ("entrypoint", function.__name__):
                    return call(*args, **kwargs)
                with journal.span("entrypoint", function.__name__):
                    return call(*args, **kwargs)
            return call_entrypoint(
                call,
                testing_dir.parent.name,
                function.__name__,
                args,
                kwargs,
                testing_dir=testing_dir,
                command_line=(testing_dir.parent.name, function.__name__),
            )

        enter.__topgallant_entrypoint__ = True  # type: ignore[attr-defined]
        for one in (call, enter):
            setattr(one, PREPARE_MARK, prepare)
        return cast("Function", enter)

    return decorate


def prepare_secrets(*, ignore_missing: bool) -> None:
    """Mask what the secrets directory holds, and leave its fingerprint as `secrets.sha256sum`.

    Errors
    ------
    SecretError
        The configuration names a directory that is not there.
    """
    if not config.project.get_config("secrets.dir.env_key", None, warn=False, print=False):
        return
    try:
        secrets = config.project.secrets
    except errors.SecretError:
        if ignore_missing:
            return
        raise
    secrets.register_all()
    top = directory.run_root() or directory.current()
    (top / "secrets.sha256sum").write_text(secrets.fingerprint(), encoding="utf-8")

"""The functions behind a name: importing the module of a project or group, when it is called."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from projects.core.errors import Mark, TopgallantError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from projects.core.words.catalog import Group, Project

    Verbs = dict[str, Callable[..., Any]]

ENTRYPOINT_MARK = "__topgallant_entrypoint__"
"""Attribute that the @entrypoint decorator leaves on a function."""


def commands_of(group: Group) -> Verbs:
    """Import a toolbox group; return its public functions by name, in the order of the file.

    Raises TopgallantError with the place when the module cannot be imported.
    """
    module = _import(group.module, group.file)
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_")
        and callable(value)
        and not isinstance(value, type)
        and getattr(value, "__module__", None) == module.__name__
    }


def entrypoints_of(project: Project) -> Verbs:
    """Import a project's test.py; return its entrypoints by name, in their order.

    They are the public attributes of an instance of its `Entrypoint` class when it has one, else
    the functions that `@entrypoint` decorates. Sibling files may be imported by their bare name.
    Raises TopgallantError with the place when the module cannot be imported.
    """
    with testing_path(project.testing_dir):
        module = _import(project.module, project.file)
        listing = getattr(module, "Entrypoint", None)
        if isinstance(listing, type):
            return _listed(listing, project.file)
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, ENTRYPOINT_MARK, False)
    }


@contextmanager
def testing_path(testing_dir: str) -> Iterator[None]:
    """Put a testing directory first on sys.path, so that its files import each other bare.

    Bare modules of another project's testing directory are forgotten before: two projects may
    both have a `prepare.py`.
    """
    testing_dir = os.path.abspath(testing_dir)
    for name, module in list(sys.modules.items()):
        folder = os.path.dirname(getattr(module, "__file__", None) or "")
        if "." not in name and _is_testing(folder) and folder != testing_dir:
            del sys.modules[name]
    sys.path.insert(0, testing_dir)
    try:
        yield
    finally:
        if testing_dir in sys.path:
            sys.path.remove(testing_dir)


def _is_testing(folder: str) -> bool:
    above, name = os.path.split(folder)
    return name == "testing" and os.path.basename(os.path.dirname(above)) == "projects"


def _listed(listing: type, file: str) -> Verbs:
    try:
        instance = listing()
    except Exception as error:
        raise _unloadable(file, error) from error
    methods = [name for name in vars(listing) if callable(getattr(instance, name))]
    names = [*vars(instance), *methods]
    verbs = {name: getattr(instance, name) for name in names if not name.startswith("_")}
    return {name: verb for name, verb in verbs.items() if callable(verb)}


def _import(name: str, file: str) -> ModuleType:
    import importlib

    try:
        return importlib.import_module(name)
    except Exception as error:
        raise _unloadable(file, error) from error


def _unloadable(file: str, error: Exception) -> TopgallantError:
    """Return the error for code that cannot be imported, with the deepest place in a project."""
    if isinstance(error, SyntaxError) and error.filename:
        where = Mark(error.filename, error.lineno or 1, error.offset or 1)
        return TopgallantError(f"{type(error).__name__}: {error.msg}", where=where)
    where = Mark(file, 1, 1)
    trace = error.__traceback__
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(file))))
    while trace:
        at = trace.tb_frame.f_code.co_filename
        if at.startswith(top + os.sep) and os.sep + "core" + os.sep not in at[len(top) :]:
            where = Mark(at, trace.tb_lineno, 1)
        trace = trace.tb_next
    return TopgallantError(f"it cannot be loaded: {type(error).__name__}: {error}", where=where)

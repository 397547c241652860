"""Call a toolbox command with the arguments that the project's configuration has for it."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from projects.core.configuration import command_args, template
from projects.core.library.toolbox import query
from projects.core.toolbox import _selected

_log = logging.getLogger(__name__)


# The directory is that of the command that is called: this one has none of its own.
@query
def from_config(
    group: str,
    command: str,
    *,
    prefix: str | None = None,
    suffix: str | None = None,
    extra: dict[str, Any] | None = None,
    show_args: bool | str = False,
    config_file: str = "",
    command_args_file: str = "",
    project: str = "",
) -> Any:
    """Call `GROUP COMMAND` with the arguments of `command_args.yaml.j2`.

    The entry is `[prefix/]GROUP COMMAND[/suffix]`. Its keys that begin with `_` are shown and not
    passed. `from_config dump config` prints the whole rendered template.

    Parameters
    ----------
    group
        Toolbox group.
    command
        Command of the group.
    prefix
        First part of the entry's key.
    suffix
        Last part of the entry's key.
    extra
        Arguments that win over those of the template, such as `{scale: 2}`.
    show_args
        Print the arguments, or the one of this name, and call nothing.
    config_file
        Read this configuration instead of the project's.
    command_args_file
        Render this template instead of the project's.
    project
        Name of the project; the selected one when not given.

    Examples
    --------
    ./run_toolbox.py from_config cluster set_scale --prefix=sutest --extra='{scale: 2}'
    ./run_toolbox.py from_config cluster set_scale --prefix=sutest --show_args=name
    """
    rendered = _render(project, config_file, command_args_file)
    if (group, command) == ("dump", "config"):
        return rendered.text
    arguments = command_args.arguments_for(rendered, group, command, prefix, suffix, extra)
    if show_args is True:
        return arguments.shown
    if show_args:
        return arguments.one(show_args)
    return _call(group, command, arguments.passed)


def _call(group: str, command: str, arguments: dict[str, Any]) -> Any:
    from projects.core.commands import call, session

    if session.current():
        return call.run_toolbox(group, command, arguments).value
    function, signature = call.command_named(group, command)
    values = call.convert(arguments, signature, f"{group} {command}")
    return call.call_command(function, group, command, values)


def _render(project: str, config_file: str, command_args_file: str) -> template.Rendered:
    chosen = _selected.selected(project)
    configuration = chosen.load(config_file=config_file)
    given = command_args_file
    if "TOPGALLANT_FROM_CONFIG_FILE" not in os.environ:  # the variable is not a run's around us
        given = given or os.environ.get("TOPSAIL_FROM_COMMAND_ARGS_FILE", "")
    path = Path(given) if given else template.find_template(chosen.testing_dir)
    return template.render(path, configuration, os.environ, _log.warning)

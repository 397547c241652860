"""Make a new project out of the skeleton."""

from __future__ import annotations

import logging

logger = logging.getLogger(__name__)

NEXT_STEPS = """\
{directory} is ready. The next three things to do:

  1. ./run_toolbox.py {name} test_ci quick    (it runs as it is)
  2. edit toolbox/{name}_target.py, what is measured, and testing/config.yaml, its settings
  3. ./run_toolbox.py config check {name}    (says what does not fit together)
"""


def new(name: str) -> None:
    """Copy the skeleton to projects/NAME and rename everything in it.

    Args:
      name: the new project's name, a Python identifier in small letters
    """
    from projects.skeleton.library import scaffold

    projects = scaffold.SKELETON.parent
    directory = scaffold.create(name, projects)
    shown = directory.relative_to(projects.parent)
    logger.info("%s", NEXT_STEPS.format(directory=shown, name=name))

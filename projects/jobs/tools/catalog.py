"""The tools that there are: test scripts in their directories, and entrypoints of a checkout."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, NamedTuple

from projects.core.errors import ConfigurationError, UsageError, unknown
from projects.jobs.tools.spec import LEGACY_SPEC, RUN, SPEC, read_spec
from projects.jobs.tools.stamps import Stamp, settled, stamp
from projects.jobs.tools.texts import shown
from projects.jobs.tools.tool import NAME, InvalidTool, SpecError, Tool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projects.jobs.tools.entrypoints import Entrypoints

_Signature = tuple[Stamp | None, Stamp | None]


class NoTestScripts(UsageError):
    """A directory of test scripts isn't there."""


class UnknownTool(UsageError):
    """No tool has this name."""

    http_status = 404


class UnusableTool(ConfigurationError):
    """There is a tool of this name, and it is wrong."""


class _Read(NamedTuple):
    """What was found in a directory, and how its files looked then."""

    signature: _Signature
    settled: bool
    tool: Tool | InvalidTool


class Catalog:
    """The tools below `roots`, and the entrypoints of the checkout at `checkout` if it is given.

    Every call looks at the files again, by their times and sizes; only what has changed is read.
    A symbolic link in a root leads to a test script elsewhere. Of two with one name that in the
    earlier root counts. Directories whose name begins with a dot are passed over.
    """

    def __init__(
        self,
        roots: Sequence[str | os.PathLike[str]],
        checkout: str | os.PathLike[str] | None = None,
    ) -> None:
        self.roots = [os.path.abspath(root) for root in roots]
        self._checkout = checkout
        self._entrypoints: Entrypoints | None = None
        self._scripts: dict[str, _Read] = {}
        self._listings: dict[str, tuple[Stamp, bool, list[str]]] = {}
        self._lock = threading.Lock()

    def check(self) -> None:
        """Raise NoTestScripts, which says what to do, when a root isn't there."""
        for root in self.roots:
            if not os.path.isdir(root):
                raise NoTestScripts(
                    f"there is no directory {root} with test scripts. Make it, with a directory"
                    f" for each test script that holds {RUN} and {SPEC}; or name another with"
                    " --test_scripts=DIRECTORY"
                )

    def all(self) -> list[Tool | InvalidTool]:
        """Return every test script by name, then every entrypoint; wrong ones say why."""
        found: dict[str, Tool | InvalidTool] = {}
        for root in self.roots:
            for name in self._names(root):
                if name not in found and (tool := self._script(root, name)):
                    found[name] = tool
        listed = [found[name] for name in sorted(found)]
        if self._checkout is not None:
            listed += [tool for tool in self._projects().all() if tool.name not in found]
        return listed

    def look(self, name: str) -> Tool | InvalidTool | None:
        """Return what has this name, right or wrong, or None."""
        for root in self.roots:
            if not name.startswith(".") and NAME.match(name) and (tool := self._script(root, name)):
                return tool
        return self._projects().look(name) if self._checkout is not None else None

    def find(self, name: str) -> Tool:
        """Return the tool called `name`.

        Raises
        ------
        UnknownTool
            There is none; with the nearest name.
        UnusableTool
            It is wrong; with the reason.
        """
        tool = self.look(name)
        if isinstance(tool, Tool):
            return tool
        listed = {each.name: each for each in self.all()} if tool is None else {}
        wrong = tool or listed.get(name)  # what can't even have its name isn't looked for by it
        if isinstance(wrong, InvalidTool):
            raise UnusableTool(f"the test {shown(name)} can't be used: {wrong.reason}")
        names = list(listed)
        raise UnknownTool(unknown("test", shown(name).strip('"'), names))

    def _projects(self) -> Entrypoints:
        if self._entrypoints is None:
            from projects.jobs.tools.entrypoints import Entrypoints

            assert self._checkout is not None  # noqa: S101 (the callers have looked)
            self._entrypoints = Entrypoints(self._checkout)
        return self._entrypoints

    def _names(self, root: str) -> list[str]:
        """Return the names in a root; a root that has gone is empty."""
        seen = stamp(root)
        if seen is None:
            return []
        known = self._listings.get(root)
        if known and known[0] == seen and known[1]:
            return known[2]
        lasting = settled(seen)
        try:
            names = [name for name in os.listdir(root) if not name.startswith(".")]
        except OSError:
            return []
        self._listings[root] = (seen, lasting, names)
        return names

    def _script(self, root: str, name: str) -> Tool | InvalidTool | None:
        directory = f"{root}/{name}"
        known = self._scripts.get(directory)
        signature = _signature(directory)
        if known and known.settled and known.signature == signature:
            return known.tool
        with self._lock:
            return self._read(directory, name)

    def _read(self, directory: str, name: str) -> Tool | InvalidTool | None:
        signature = _signature(directory)
        known = self._scripts.get(directory)
        if known and known.settled and known.signature == signature:
            return known.tool  # another thread was here
        if not os.path.isdir(directory):
            self._scripts.pop(directory, None)
            if not os.path.islink(directory) or os.path.exists(directory):
                return None  # a file, or nothing
            return InvalidTool(name, directory, f"{directory} is a link that leads nowhere")
        lasting = settled(*signature)
        tool: Tool | InvalidTool
        try:
            tool = read_spec(directory, name)
        except SpecError as error:
            tool = InvalidTool(name[:100], directory, str(error))
        self._scripts[directory] = _Read(signature, lasting, tool)
        return tool


def _signature(directory: str) -> _Signature:
    """Return how a test script's files look."""
    spec = stamp(f"{directory}/{SPEC}") or stamp(f"{directory}/{LEGACY_SPEC}")
    return spec, stamp(f"{directory}/{RUN}")

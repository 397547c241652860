"""The configuration of the running project: read it, set it, know where it comes from."""

from __future__ import annotations

import logging
import os
import re
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from projects.core import errors
from projects.core.artifacts import directory, journal
from projects.core.commands import entrypoint, session
from projects.core.configuration import command_args, template
from projects.core.configuration.configuration import Configuration, MissingKey, assemble
from projects.core.configuration.document import Document
from projects.core.library import profiles
from projects.core.processes import parallel
from projects.core.secrets import directory as secrets_directory
from projects.core.secrets import masking

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projects.core.configuration.command_args import Arguments
    from projects.core.secrets.secret import Secret

_log = logging.getLogger(__name__)

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

RESOLVED = "# Resolved configuration of project "
"""How the first line of a written configuration begins; the project's name follows."""


class Project:
    """The configuration of one project in this process; `config.project` is the one in use."""

    def __init__(self, loaded: Configuration, testing_dir: Path) -> None:
        self.configuration = loaded
        self.testing_dir = testing_dir
        self.name = testing_dir.parent.name
        self.folder = directory.run_root() or directory.current()
        self._unwritten = False
        self._secrets: secrets_directory.SecretsDirectory | None = None

    def get_config(
        self,
        key: str,
        default_value: Any = ...,
        warn: bool = True,
        print: bool = True,  # noqa: A002 - the seed's name
        handled_secretly: bool = False,
    ) -> Any:
        """Return the value of `key` (a dotted path or any JSONPath), references resolved.

        Parameters
        ----------
        default_value
            Returned when the key does not exist (None is a default too).
        warn
            Log a warning when the default is returned.
        print
            Log the read, at DEBUG.
        handled_secretly
            The caller promises not to show the value: needed to read a `*$@` reference, which
            then comes as a `Secret`.

        Errors
        ------
        ConfigurationError
            No such key and no default (also a KeyError), or a reference leads nowhere.
        SecretError
            A secret is read without `handled_secretly`, or its file is missing.
        """
        try:
            if handled_secretly:
                return self.configuration.get(key, read_secret=self.read_secret)
            value = self.configuration.get(key)
        except MissingKey:
            if default_value is ...:
                raise
            if warn:
                _log.warning("configuration: no key %s, using %r", key, default_value)
            return default_value
        if print and _log.isEnabledFor(logging.DEBUG):
            _log.debug("configuration: %s = %r", key, value)
        return value

    def set_config(self, key: str, value: Any, print: bool = True) -> None:  # noqa: A002, ARG002
        """Set the existing key `key`; the written `config.yaml` follows before any command starts.

        Errors
        ------
        ConfigurationError
            The key does not exist; with the nearest one.
        UsageError
            Called inside `run.Parallel`, where the others would see it or not by chance.
        """
        refuse_in_parallel(f"set_config({key!r})")
        self.configuration.set(key, value)

    def apply_preset(self, name: str) -> None:
        """Apply a preset now, on top of what is set."""
        refuse_in_parallel(f"apply_preset({name!r})")
        self.configuration.apply_preset(name)
        self._write_presets_applied()

    def detect_apply_light_profile(self, profile: str, name_suffix: str = "light") -> bool:
        """Apply the preset `profile` in a light job of OpenShift CI; tell whether it was."""
        return self._apply_if(profile if profiles.is_light(os.environ, name_suffix) else None)

    def detect_apply_metal_profile(self, profile: str) -> bool:
        """Apply the preset `profile` if the cluster runs on bare metal; tell whether it does."""
        return self._apply_if(profile if profiles.is_metal() else None)

    def detect_apply_cluster_profile(self, node_profiles: Mapping[str, str]) -> bool:
        """Apply the preset of the first node of {node: preset} that the cluster has, if any."""
        return self._apply_if(profiles.preset_of_cluster(node_profiles))

    def _apply_if(self, preset: str | None) -> bool:
        if preset is not None:
            self.apply_preset(preset)
        return preset is not None

    def changed(self, key: str, value: Any) -> None:
        """Remember that what is written is old; the journal knows at once."""
        self._unwritten = True
        journal.note("configuration set", key=key, value=value)

    def get_command_arg(  # noqa: PLR0917 - as projects call it
        self,
        group: str,
        command: str,
        arg: str,
        prefix: str | None = None,
        suffix: str | None = None,
        mute: bool = False,  # noqa: ARG002 - nothing is printed here; the seed's callers pass it
    ) -> Any:
        """Return one argument that `command_args.yaml.j2` has for a toolbox command."""
        return self.command_args(group, command, prefix, suffix).one(arg)

    def command_args(
        self,
        group: str,
        command: str,
        prefix: str | None = None,
        suffix: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Arguments:
        """Return the arguments that `command_args.yaml.j2` has for a toolbox command."""
        given = os.environ.get("TOPSAIL_FROM_COMMAND_ARGS_FILE")
        ours = "TOPGALLANT_FROM_CONFIG_FILE" in os.environ  # of a run around, maybe of another one
        path = Path(given) if given and not ours else template.find_template(self.testing_dir)
        rendered = template.render(path, self.configuration, os.environ, _log.warning)
        return command_args.arguments_for(rendered, group, command, prefix, suffix, extra)

    @property
    def secrets(self) -> secrets_directory.SecretsDirectory:
        """The directory of `secrets.dir`; SecretError when it is not there."""
        if self._secrets is None:
            self._secrets = secrets_directory.open_directory(
                self.get_config("secrets.dir.env_key", print=False),
                self.get_config("secrets.dir.name", "", warn=False, print=False),
                os.environ,
            )
        return self._secrets

    def read_secret(self, file_name: str) -> Secret:
        """Return the content of a file of the secrets directory."""
        return self.secrets.read(file_name)

    def write(self) -> None:
        """Write the resolved configuration to the run's `config.yaml`; secrets stay references."""
        self._unwritten = False
        _write(self.folder / "config.yaml", self.text())
        if os.environ.get("SHARED_DIR"):
            _write(Path(os.environ["SHARED_DIR"]) / "config.yaml", self.text())

    def text(self) -> str:
        """Return the resolved configuration as YAML that can be loaded again."""
        values = masking.mask_values(self.configuration.resolved())
        return f"{RESOLVED}{self.name}\n{self.configuration.dump(values)}"

    def flush(self) -> None:
        """Write if something was set since."""
        if self._unwritten:
            self.write()

    def begin(self) -> None:
        """Write what the run begins with, and leave it if `exec_list` says so."""
        self._hide_secrets()
        self.write()
        self._write_presets_applied()
        run = session.current()
        if run is not None:
            run.at_end.append(self.flush)
            run.config_file = run.place.path / "_meta" / "config.yaml"
            run.config_file.parent.mkdir(exist_ok=True)
            _write(run.config_file, self.text())
            reason = entrypoint.skip_reason(
                self.get_config("exec_list", {}, warn=False, print=False) or {}, run.words.verb
            )
            if reason:
                entrypoint.skip(reason)
        self.configuration.listeners.append(self.changed)

    def _hide_secrets(self) -> None:
        """Mask what the secrets directory holds, if it is there, before anything is written."""
        variable = self.get_config("secrets.dir.env_key", None, warn=False, print=False)
        if not variable:
            return
        run = session.current()
        if run is not None and _VARIABLE.fullmatch(str(variable)):
            run.secrets_variable = variable
        # Whether the project can do without is for its entrypoint to say.
        with suppress(errors.SecretError):
            self.secrets.register_all()

    def _write_presets_applied(self) -> None:
        lines = "".join(f"{line}\n" for line in self.configuration.presets_applied)
        _write(self.folder / "presets_applied", lines)


def refuse_in_parallel(call: str) -> None:
    """Raise UsageError inside `run.Parallel`."""
    if parallel.is_parallel():
        raise errors.UsageError(
            f"{call} inside run.Parallel: the other tasks would see it or not by chance; "
            "do it before, or pass the value as an argument"
        )


@contextmanager
def TempValue(config: Project, key: str, value: Any) -> Iterator[None]:  # noqa: N802 - the old name
    """Within the block `key` has `value`; then every place it matches has its old value again.

    `with config.TempValue(config.project, "tests.users", 4): ...`
    """
    refuse_in_parallel(f"TempValue({key!r})")
    with config.configuration.temporary(key, value):
        yield


project: Project
"""The configuration in use; there is none before `init`."""


def init(
    testing_dir: str | os.PathLike[str],
    apply_preset_from_pr_args: bool = False,
    apply_config_overrides: bool = True,
) -> None:
    """Load the configuration of the project at `testing_dir` as `config.project`; once a process.

    The order of the layers is in docs/reference/configuration.md. `apply_preset_from_pr_args`:
    words of the CI's directive are presets. `apply_config_overrides=False`: overrides are only
    stored, under the key `overrides`.

    Errors
    ------
    ConfigurationError
        A file, preset, override or reference is wrong, with file, line, column and nearest name.
    """
    if "project" in globals():
        _log.debug("configuration: already loaded")
        return
    folder = Path(testing_dir).resolve()
    run = session.current()
    loaded = load(
        folder,
        os.environ,
        artifact_dir=directory.run_root() or directory.current(),
        apply_preset_from_pr_args=apply_preset_from_pr_args,
        apply_config_overrides=apply_config_overrides,
        presets=run.words.presets if run else (),
        overrides=run.words.overrides if run else (),
    )
    use(loaded, folder)


def use(loaded: Configuration, testing_dir: Path) -> None:
    """Begin to use a configuration as `config.project`, unless there is one already."""
    global project  # noqa: PLW0603 - the interface is one configuration in a process
    if "project" not in globals():
        project = Project(loaded, testing_dir)
        project.begin()


def load(
    testing_dir: Path,
    environ: Mapping[str, str],
    *,
    artifact_dir: Path | None = None,
    apply_preset_from_pr_args: bool = False,
    apply_config_overrides: bool = True,
    selected: Sequence[str] = (),
    presets: Sequence[str] = (),
    overrides: Sequence[tuple[str, Any, str]] = (),
) -> Configuration:
    """Return the configuration of the project at `testing_dir` without putting it in use.

    `selected` are the presets that `configure` keeps; `presets` and `overrides` (key, value, word
    as typed) are those of the command line.

    Errors
    ------
    ConfigurationError
        As `init`.
    """
    source = Document.load(find_source(testing_dir, environ))
    return assemble(
        source,
        repository_overrides=_overrides(testing_dir.parents[2]),
        artifact_overrides=_overrides(artifact_dir) if artifact_dir else None,
        pr_presets=apply_preset_from_pr_args,
        selected_presets=selected,
        cli_presets=presets,
        cli_overrides=overrides,
        resolved=is_resolved(source.name) or environ.get("TOPSAIL_LOCAL_CI_MULTI") == "true",
        store_only=not apply_config_overrides,
    )


def find_source(testing_dir: Path, environ: Mapping[str, str]) -> Path:
    """Return the file that the configuration starts from.

    It is what a run of this project has written for its children (`$TOPGALLANT_FROM_CONFIG_FILE`),
    else `$TOPSAIL_FROM_CONFIG_FILE`, else `$SHARED_DIR/config.yaml`, else the project's own.
    """
    ours = environ.get("TOPGALLANT_FROM_CONFIG_FILE")
    if ours and is_resolved(ours, testing_dir.parent.name):
        return Path(ours)
    given = environ.get("TOPSAIL_FROM_CONFIG_FILE")
    if given and not is_resolved(given):
        return Path(given)
    shared = environ.get("SHARED_DIR")
    if shared and os.path.isfile(os.path.join(shared, "config.yaml")):
        return Path(shared, "config.yaml")
    return testing_dir / "config.yaml"


def is_resolved(path: str | os.PathLike[str], name: str = "") -> bool:
    """Tell whether a run (of the project `name`, if given) wrote the configuration at `path`."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            first = file.readline(300)
    except OSError:
        return False
    return first.strip() == f"{RESOLVED}{name}".strip() if name else first.startswith(RESOLVED)


def flush() -> None:
    """Write the configuration if it was set since it was written; nothing before `init`."""
    if "project" in globals():
        project.flush()


def child_variables() -> dict[str, str]:
    """Return the environment variables by which a child process finds this configuration."""
    if "project" not in globals():
        return {}
    written = os.fspath(project.folder / "config.yaml")
    variables = {"TOPGALLANT_FROM_CONFIG_FILE": written, "TOPSAIL_FROM_CONFIG_FILE": written}
    for path in template.templates_in(project.testing_dir):
        variables["TOPSAIL_FROM_COMMAND_ARGS_FILE"] = os.fspath(path)
    return variables


def _overrides(folder: Path) -> Document | None:
    path = folder / "variable_overrides.yaml"
    return Document.load(path) if path.is_file() else None


def _write(path: Path, text: str) -> None:
    """Write `path` whole or not at all, secrets masked."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        temporary.write_text(masking.mask(text), encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise errors.unreadable(path, error) from error

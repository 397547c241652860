"""Shell completion: a script for bash, zsh and fish that asks us, and our answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from projects.core.errors import UsageError, unknown
from projects.core.words import parameters
from projects.core.words.signature import KEYWORD_REST, POSITIONAL, POSITIONAL_ONLY, REST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from projects.core.words.catalog import Catalog
    from projects.core.words.signature import Parameter, Signature

_BASH = """\
_topgallant() {
    local found
    COMPREPLY=()
    while IFS= read -r found; do
        COMPREPLY+=("$found")
    done < <("${COMP_WORDS[0]/#\\~/$HOME}" --complete bash "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}
complete -o bashdefault -o default -F _topgallant run_toolbox.py ./run_toolbox.py
"""

_ZSH = """\
#compdef run_toolbox.py
_topgallant() {
    local -a found
    found=("${(@f)$("${words[1]/#\\~/$HOME}" --complete zsh "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    compadd -Q -S '' -- ${(M)found:#*=}
    compadd -Q -- ${found:#*=}
}
compdef _topgallant run_toolbox.py ./run_toolbox.py
"""

_FISH = """\
function __topgallant_complete
    set -l words (commandline -opc)
    $words[1] --complete fish $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c run_toolbox.py -f -a '(__topgallant_complete)'
"""

SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def script(shell: str) -> str:
    """Return the completion script for a shell; UsageError for one that we do not know."""
    if shell not in SCRIPTS:
        raise UsageError(unknown("shell", shell, SCRIPTS))
    return SCRIPTS[shell]


def words_of_line(line: str) -> list[str]:
    """Split a line as far as the cursor, without the command; the last word may be empty."""
    import shlex

    for closing in ("", '"', "'"):
        try:
            words = shlex.split(line + closing)
        except ValueError:
            continue
        return [*words[1:], ""] if line[-1:].isspace() and not closing else words[1:]
    return [""]


def shortened_for_bash(candidates: Sequence[str], word: str) -> list[str]:
    """Cut off what bash has completed: `=` and `:` end a word for it."""
    cut = max(word.rfind("="), word.rfind(":")) + 1
    return [candidate[cut:] for candidate in candidates]


class Source(NamedTuple):
    """What there is below a name, asked only when needed: it imports code or reads files."""

    entrypoints: Callable[[str], Mapping[str, Signature]]
    commands: Callable[[str], Mapping[str, Signature]]
    presets: Callable[[str], Sequence[str]]
    keys: Callable[[str], Sequence[str]]
    """Keys of the configuration, parents before what they hold."""


def candidates(catalog: Catalog, words: Sequence[str], source: Source) -> list[str]:
    """Return what may follow: `words` are those after the command, the last one unfinished."""
    *before, word = words or [""]
    if not before:
        flags = ["--help", "--version"] if word.startswith("-") else []
        return _fitting(word, ["project", *catalog.names(), "completion", *flags])
    if before[0] == "completion":
        return _fitting(word, SCRIPTS)
    kind = _kind_due(before, word)
    if kind is not None:
        flag = word[: word.find("=") + 1]
        return _fitting(word, [flag + one for one in _of_kind(kind, catalog, before, source)])
    return _fitting(word, _below(before, word, source))


def _below(before: Sequence[str], word: str, source: Source) -> list[str]:
    """Return the verbs of a name, or the words of a verb."""
    name, *rest = before
    known, tools = source.entrypoints(name), source.commands(name)
    alone = len(tools) == 1 and name in tools and not known
    if alone:
        return _words(tools[name], rest, word)
    if not rest:
        return [*known, *(tool for tool in tools if tool not in known), "--help"]
    verb = rest[0].replace("-", "_")
    signature = known.get(verb) or tools.get(verb)
    if signature is None:
        return []
    own = _words(signature, rest[1:], word, verb in known)
    if verb not in known:
        return own
    unused = _unused(source.presets(name), rest)
    if word and not word.startswith("-"):
        unused += [f"{key}=" for key in _leaves(source.keys(name))]
    return [*unused, *own]


_PLACES = {
    ("config", "show"): ("key", "preset…"),
    ("config", "explain"): ("key", "preset…"),
    ("config", "diff"): ("preset…",),
    ("config", "check"): ("project",),
    ("configure", "enter"): ("project",),
    ("configure", "get"): ("key",),
    ("configure", "apply"): ("preset…",),
    ("from_config",): ("group", "command"),
}
"""What the plain words of the core's own commands are; the last may come again."""

_FLAGS = {"--project=": "project", "--preset=": "preset", "--presets=": "preset"}


def _kind_due(before: Sequence[str], word: str) -> str | None:
    """Return what the unfinished word of one of the core's own commands stands for, if we know."""
    call = next((call for call in _PLACES if tuple(before[: len(call)]) == call), None)
    if call is None:
        return None
    if word.startswith("-"):
        return _FLAGS.get(word[: word.find("=") + 1])
    place = sum(not one.startswith("-") for one in before[len(call) :])
    kinds = _PLACES[call]
    kind = kinds[min(place, len(kinds) - 1)]
    if place < len(kinds) or kind.endswith("…"):
        return kind.removesuffix("…")
    return None


def _of_kind(kind: str, catalog: Catalog, before: Sequence[str], source: Source) -> Iterable[str]:
    if kind == "project":
        return catalog.projects()
    if kind == "group":
        return catalog.groups()
    if kind == "command":
        return source.commands(before[-1])
    about = _project_in(before)
    return source.keys(about) if kind == "key" else _unused(source.presets(about), before)


def _unused(names: Iterable[str], before: Sequence[str]) -> list[str]:
    return [name for name in names if name not in before]


def _project_in(before: Sequence[str]) -> str:
    """Return the project that the words are about; `project`, the selected one, unless said."""
    if tuple(before[:2]) == ("configure", "enter") and len(before) > 2:  # noqa: PLR2004
        return before[2]
    said = [one.partition("=")[2] for one in before if one.startswith("--project=")]
    return said[-1] if said else "project"


def _leaves(keys: Sequence[str]) -> list[str]:
    """Return the keys that are not above another one."""
    return [
        key
        for key, after in zip(keys, [*keys[1:], ""], strict=True)
        if not after.startswith(f"{key}.")
    ]


def _fitting(word: str, possible: Sequence[str] | Mapping[str, str]) -> list[str]:
    found = [each for each in possible if each.startswith(word)]
    return found if word else [each for each in found if each[0] != "-"] or found


def _words(
    signature: Signature, before: Sequence[str], word: str, is_entrypoint: bool = False
) -> list[str]:
    """Return the value that is due, if its type has few, and flags unless one waits for it."""
    named, places = set(), 0
    waiting: Parameter | None = None
    for one in before:
        if waiting is not None:
            waiting = None
        elif one.startswith("--"):
            flag, equals, _ = one[2:].partition("=")
            parameter = signature.parameter(flag.replace("-", "_"))
            named.add(parameter.name if parameter else flag)
            waiting = parameter if parameter and not equals and not parameter.is_flag else None
        else:
            places += 1
    if waiting is not None:
        return list(parameters.choices(waiting.annotation))
    free = [p for p in signature.parameters if p.kind in (POSITIONAL_ONLY, POSITIONAL)]
    free = [p for p in free if p.name not in named and (p.required or not is_entrypoint)]
    due = parameters.choices(free[places].annotation) if places < len(free) else ()
    return [*due, *_flags(signature, before, word)]


def _flags(signature: Signature, rest: Sequence[str], word: str) -> list[str]:
    given = {w.partition("=")[0].lstrip("-").replace("-", "_") for w in rest}
    flag, equals, _ = word.partition("=")
    named = [p for p in signature.parameters if p.kind not in (REST, KEYWORD_REST)]
    if equals:
        parameter = signature.parameter(flag.lstrip("-").replace("-", "_"))
        values = parameters.choices(parameter.annotation) if parameter else ()
        return [f"{flag}={value}" for value in values]
    return [*(_spelling(p) for p in named if p.name not in given), "--help"]


def _spelling(parameter: Parameter) -> str:
    if not parameter.is_flag:
        return f"--{parameter.name}="
    return f"--no-{parameter.name}" if parameter.default is True else f"--{parameter.name}"

"""What a call costs: a function, a toolbox command, an Ansible role, a pyinfra deploy, a spawn."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, NamedTuple

from projects.bench.library import peers as peers_of
from projects.bench.library.alternation import Probe
from projects.bench.library.environments import our_environment, peers_environment
from projects.bench.library.timing import seconds_of_calls, seconds_of_process

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

FUNCTION = "function"
COMMAND = "toolbox command"
COMMAND_WITH_PROCESS = "toolbox command running true"
SPAWN = "bare process"
MANY = 20
"""Tasks of the longer play and deploy; the cost of one more task is the slope between 1 and 20."""


class Tasks(NamedTuple):
    """The cases of a program that runs tasks: one, many, and each one more."""

    program: str
    one: str
    many: str
    further: str

    @classmethod
    def of(cls, program: str, noun: str) -> Tasks:
        """Return the names of the cases, from what the program calls its tasks."""
        return cls(
            program=program,
            one=f"{program}, 1 {noun}",
            many=f"{program}, {MANY} {noun}s",
            further=f"{program}, each further {noun}",
        )


ANSIBLE = Tasks.of("ansible role", "task")
PYINFRA = Tasks.of("pyinfra", "operation")

_SPAWNS = 20
_PLAY = """\
- hosts: all
  gather_facts: false
  roles: [noop]
"""


def seconds_by_case(count: int, cases: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Return the mean seconds of one call of each case over `count` calls, after one warm-up."""
    for function in cases.values():
        function()
    return {case: seconds_of_calls(function, count) / count for case, function in cases.items()}


def our_probe(count: int, work: Path, environ: Mapping[str, str]) -> Probe:
    """Return the probe that has `bench calls` measure in a run of its own, as a user's would be."""

    def measure() -> dict[str, float]:
        runs = work / "runs"
        runs.mkdir(exist_ok=True)
        answer = work / "calls.json"
        seconds_of_process(
            [
                sys.executable,
                str(peers_of.CHECKOUT / "run_toolbox.py"),
                *("bench", "calls", f"--count={count}", f"--into={answer}"),
            ],
            environment=our_environment(environ, runs / f"{len(list(runs.iterdir())):03d}"),
            cwd=peers_of.CHECKOUT,
        )
        measured: dict[str, float] = json.loads(answer.read_text(encoding="utf-8"))
        return measured

    return Probe(COMMAND, measure)


def spawn_probe(work: Path, environ: Mapping[str, str]) -> Probe:
    """Return the probe of a process that does nothing: what any runner of processes pays."""
    environment = peers_environment(environ, work)

    def measure() -> dict[str, float]:
        took = [
            seconds_of_process(["true"], environment=environment, cwd=work) for _ in range(_SPAWNS)
        ]
        return {SPAWN: sum(took) / len(took)}

    return Probe(SPAWN, measure)


def peer_probes(peers: Collection[str], work: Path, environ: Mapping[str, str]) -> list[Probe]:
    """Return the probes of Ansible and pyinfra, if among `peers`; their files go to `work`."""
    environment = peers_environment(environ, work)

    def probe(cases: Tasks, argv: Callable[[int], list[str]]) -> Probe:
        def measure() -> dict[str, float]:
            one, many = (
                seconds_of_process(argv(tasks), environment=environment, cwd=work)
                for tasks in (1, MANY)
            )
            return {
                cases.one: one,
                cases.many: many,
                cases.further: (many - one) / (MANY - 1),
            }

        return Probe(cases.program, measure, may_fail=True)

    probes = []
    if "ansible" in peers:
        probes.append(probe(ANSIBLE, write_ansible(work)))
    if "pyinfra" in peers:
        probes.append(probe(PYINFRA, write_pyinfra(work)))
    return probes


def write_ansible(work: Path) -> Callable[[int], list[str]]:
    """Write plays whose one role has 1 or many tasks; return their command lines.

    Local connection, no facts, and the interpreter given, so that none is searched for.
    """
    inventory = work / "inventory.ini"
    python = peers_of.program("python")
    inventory.write_text(
        f"localhost ansible_connection=local ansible_python_interpreter={python}\n",
        encoding="utf-8",
    )
    for tasks in (1, MANY):
        folder = work / f"ansible_{tasks}"
        role = folder / "roles" / "noop" / "tasks"
        role.mkdir(parents=True)
        task = '- name: "noop"\n  ansible.builtin.command: "true"\n'
        (role / "main.yml").write_text(task * tasks, encoding="utf-8")
        (folder / "play.yaml").write_text(_PLAY, encoding="utf-8")
    return lambda tasks: [
        peers_of.program("ansible-playbook"),
        *("-i", str(inventory), str(work / f"ansible_{tasks}" / "play.yaml")),
    ]


def write_pyinfra(work: Path) -> Callable[[int], list[str]]:
    """Write deploys with 1 or many operations; return their command lines."""
    for tasks in (1, MANY):
        (work / f"deploy_{tasks}.py").write_text(
            "from pyinfra.operations import server\n"
            f"for number in range({tasks}):\n"
            '    server.shell(name=f"noop {number}", commands=["true"])\n',
            encoding="utf-8",
        )
    return lambda tasks: [
        *(peers_of.program("pyinfra"), "-y", "@local"),
        str(work / f"deploy_{tasks}.py"),
    ]

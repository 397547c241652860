"""What a check finds, and how it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Verdict(StrEnum):
    """Good; works, with something to know; in the way."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


_SIGNS = {Verdict.OK: "✔", Verdict.WARNING: "!", Verdict.PROBLEM: "✘"}
_COLOURS = {Verdict.OK: "32", Verdict.WARNING: "33", Verdict.PROBLEM: "31"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `advice` is what to do, empty where nothing is."""

    check: str
    verdict: Verdict
    said: str
    advice: str = ""

    def line(self, *, colour: bool) -> str:
        """Return it for people."""
        sign = _SIGNS[self.verdict]
        sign = f"\x1b[{_COLOURS[self.verdict]}m{sign}\x1b[0m" if colour else sign
        advice = f"\n    → {self.advice}" if self.advice else ""
        return f"{sign} {self.check}: {self.said}{advice}"


def ok(check: str, said: str) -> Finding:
    """Return that all is well."""
    return Finding(check, Verdict.OK, said)


def warning(check: str, said: str, advice: str = "") -> Finding:
    """Return what works and is to be known."""
    return Finding(check, Verdict.WARNING, said, advice)


def problem(check: str, said: str, advice: str) -> Finding:
    """Return what is in the way."""
    return Finding(check, Verdict.PROBLEM, said, advice)


def shown(findings: Sequence[Finding], *, colour: bool) -> str:
    """Return all findings for people, and how many of them want something done."""
    lines = [finding.line(colour=colour) for finding in findings]
    problems = sum(finding.verdict is Verdict.PROBLEM for finding in findings)
    warnings = sum(finding.verdict is Verdict.WARNING for finding in findings)
    if problems:
        end = f"{problems} {'problem' if problems == 1 else 'problems'}: see the arrows."
    else:
        end = "Nothing is in the way."
    if warnings:
        end += f" {warnings} {'thing' if warnings == 1 else 'things'} to know."
    return "\n".join([*lines, "", end]) + "\n"

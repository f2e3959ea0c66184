"""Prints checks: one line each as it happens, what is wrong and the mend below it."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from textwrap import indent
from typing import Any

import click

from alectio_agent.cli.folding import fold_lines, width_of
from alectio_agent.cli.log_tail import shown_line
from alectio_agent.cli.options import Common
from alectio_agent.cli.screen import may_colour
from alectio_agent.core.checks import Check
from alectio_agent.core.errors import CODE_PATTERN
from alectio_agent.core.units import format_duration

WORDS = {"ok": "ok", "warn": "warn", "failed": "FAIL", "skipped": "skip"}
NARROW = 30
COLOURS = {"ok": "green", "warn": "yellow", "failed": "red", "skipped": "bright_black"}


def print_checks(
    checks: Iterable[Check], common: Common, *, next_step: Callable[[], str]
) -> list[Check]:
    """Print checks as they come.

    Args:
        checks: Made while they are printed.
        common: Whether as JSON, and whether only what is wrong.
        next_step: Tells what to do when nothing failed.

    Returns:
        All of them.
    """
    if common.as_json:
        found = list(checks)
        click.echo(json.dumps([_as_json(check) for check in found], indent=2))
        return found
    found = []
    for state, group in groupby(_noting(checks, found), key=lambda check: check.state):
        if state == "skipped":
            _print_skipped(list(group), common)
            continue
        for check in group:
            if state != "ok" or not common.is_quiet:
                _print(check)
    failures = [check for check in found if check.state == "failed"]
    if failures:
        verb = "check" if len(found) == 1 else "checks"
        click.echo(f"{len(failures)} of {len(found)} {verb} failed")
    elif not common.is_quiet:
        click.echo(f"{_verdict(found)} {next_step()}")
    return found


def _verdict(found: list[Check]) -> str:
    """How it went when nothing failed."""
    count = sum(check.state == "warn" for check in found)
    if not count:
        return "All is well."
    return f"{count} {'warning' if count == 1 else 'warnings'}, nothing failed."


def _noting(checks: Iterable[Check], found: list[Check]) -> Iterator[Check]:
    for check in checks:
        found.append(check)
        yield check


def _print(check: Check) -> None:
    if check.seconds is None:
        named = f"{check.name:<20}"
    else:
        named = f"{check.name:<12} {_took(check.seconds):>9}"
    click.echo(_line(check.state, f"{named}  ", check.said))
    for problem in check.problems:
        # Both quote what hooks say, which a terminal must not obey.
        safe = "\n".join(map(shown_line, problem.split("\n")))
        told = fold_lines(indent(safe, "      "), width_of(sys.stdout))
        click.echo(_coloured(told, check.state))
    if check.printed:
        click.echo(f"      It printed last ({check.log_file}):")
        lines = "\n".join(map(shown_line, check.printed))
        click.echo(indent(lines, "      | ", lambda _: True))


def _print_skipped(checks: list[Check], common: Common) -> None:
    if common.is_quiet:
        return
    for why, group in groupby(checks, key=lambda check: check.said):
        names = ", ".join(check.name for check in group)
        click.echo(_line("skipped", "", f"{names}: {why}"))


def _line(state: str, named: str, said: str) -> str:
    """A check in one line; on a terminal the text keeps to its own column, if that is wide."""
    width, hang = width_of(sys.stdout), 6 + len(named)
    if width is not None and width - hang < NARROW:
        hang = 6
    plain = fold_lines(f"{WORDS[state]:<5} {named}{said}".rstrip(), width, hang)
    return _paint(plain[:5], COLOURS[state]) + plain[5:]


def _took(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else format_duration(seconds)


def _coloured(text: str, state: str) -> str:
    return CODE_PATTERN.sub(lambda code: _paint(code[0], COLOURS[state]), text, count=1)


def _paint(text: str, colour: str) -> str:
    return click.style(text, fg=colour) if may_colour(sys.stdout) else text


def _as_json(check: Check) -> dict[str, Any]:
    return {
        "check": check.name,
        "state": check.state,
        "said": check.said,
        "seconds": None if check.seconds is None else round(check.seconds, 3),
        "problems": list(check.problems),
        "codes": check.codes,
        "log": None if check.log_file is None else str(check.log_file),
        "printed": check.printed,
    }

"""Writes the tables of figures into the READMEs, between two markers, from `benchmarks/results`."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.harness import RESULTS, ROOT

BEGIN, END = "<!-- figures: written by `make bench` -->", "<!-- end of figures -->"
WITH_PEERS = ("dispatch", "throughput", "startup", "idle", "bulk", "longpoll")
PLACES = {
    "README.md": WITH_PEERS,
    "benchmarks/README.md": (
        *WITH_PEERS, "claim", "loop_overhead", "report", "dashboard", "results_files", "recovery",
        "watched", "soak",
    ),
}  # fmt: skip
SHORT, WHOLE = "README.md", ("dispatch", "throughput")
"""The README has figures with a target only, and everything of these two: their peers are known."""
HEAD = (
    "| what | ours | beside it | ratio | target | reached |\n"
    "| --- | --- | --- | --- | --- | --- |\n"
)
NEEDED = {
    "commit": str, "measured_at": str, "machine": dict, "figures": list,
}  # fmt: skip
NEEDED_OF_MACHINE = ("cores", "memory_gb", "python", "system", "load_before")


def main() -> None:
    found = read_results(RESULTS)
    for document in found.values():
        if missing := complaints(document):
            raise SystemExit(f"{document.get('benchmark')}: {', '.join(missing)}")
    for place in PLACES:
        file = ROOT / place
        file.write_text(with_tables(file.read_text(), pick(found, place)))


def read_results(folder: Path) -> dict[str, dict[str, Any]]:
    """What was measured, by the name of the benchmark."""
    return {file.stem: json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))}


def pick(found: Mapping[str, dict[str, Any]], place: str) -> list[dict[str, Any]]:
    """Those of one place, in its order, as far as they were measured, with the figures it shows."""
    picked = [(name, found[name]) for name in PLACES[place] if name in found]
    if place != SHORT:
        return [document for _, document in picked]
    return [
        document
        if name in WHOLE
        else document | {"figures": [one for one in document["figures"] if one["target"]]}
        for name, document in picked
    ]


def complaints(document: Mapping[str, Any]) -> list[str]:
    """What figures must name so that somebody can judge them, and these do not."""
    wrong = [f"no {key}" for key, kind in NEEDED.items() if not isinstance(document.get(key), kind)]
    if not re.fullmatch("[0-9a-f]{7,40}", str(document.get("commit"))):
        wrong.append("no commit that git knows")
    wrong += ["made with --quick"] if document.get("is_quick") else []
    machine = document.get("machine") or {}
    wrong += [f"no {key} of the machine" for key in NEEDED_OF_MACHINE if key not in machine]
    figures = document.get("figures") or []
    wrong += [
        f"no spread of {one.get('what')}" for one in figures if len(one.get("spread", ())) != 2
    ]
    return wrong


def with_tables(text: str, documents: Sequence[Mapping[str, Any]]) -> str:
    """A page with these figures instead of those between its markers."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{tables(documents)}{END}{after}"


def tables(documents: Sequence[Mapping[str, Any]]) -> str:
    """One table, and what it was measured on; empty without figures."""
    if not documents:
        return ""
    lines = "".join(_row(figure) for document in documents for figure in document["figures"])
    told = sorted({_origin(document) for document in documents})
    return f"\n{HEAD}{lines}\n{' '.join(told)}\n\n"


def _row(figure: Mapping[str, Any]) -> str:
    low, high = figure["spread"]
    unit = figure["unit"]
    shown = f"{_number(figure['value'])} {unit}"
    if low != high:
        shown += f" ({_number(low)} to {_number(high)})"
    beside = ratio = ""
    if figure["baseline"]:
        beside = f"{figure['baseline']}: {_number(median(figure['baseline_values']))} {unit}"
    if figure["ratio"] is not None:
        ratio = f"{_number(figure['ratio'])}x"
    reached = {True: "yes", False: "**no**", None: ""}[figure["is_met"]]
    cells = (figure["what"], shown, beside, ratio, figure["target"], reached)
    return f"| {' | '.join(cells)} |\n"


def _origin(document: Mapping[str, Any]) -> str:
    machine = document["machine"]
    commit = document["commit"] + (" with changes" if document.get("is_changed") else "")
    return (
        f"Measured on {document['measured_at']} at {commit}: {machine['cores']} cores, "
        f"{machine['memory_gb']} GB, {machine['system']}, Python {machine['python']}."
    )


def _number(value: float) -> str:
    """Three figures that count."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main()

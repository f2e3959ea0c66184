"""What all benchmarks share: a figure beside its baseline, printed and kept as JSON.

A benchmark measures its peers in the same pass, interleaved where it can, and ends with
`publish("dispatch", figures)`. Run with `--json benchmarks/results` it also writes
`benchmarks/results/dispatch.json`, from which the README's tables are made.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
ROOT = Path(__file__).parent.parent
WRITTEN_BY_BENCHMARKS = (":!benchmarks/results", ":!README.md", ":!benchmarks/README.md")
LOAD_BEFORE = os.getloadavg()[0]
"""Other work on the machine spoils figures; taken before the benchmark itself works."""


@dataclass(frozen=True)
class Figure:
    """One measured thing, and what it was compared with in the same pass.

    Attributes:
        what: In a few words.
        unit: Such as `ms`, `jobs/s`, `%`, `MB`.
        values: One for each run; their median is the figure, lowest and highest the spread.
        baseline: What `baseline_values` are of, such as `RQ, a fork per job`; empty without one.
        baseline_values: In the same unit.
        most: The ratio to the baseline, or without one the figure itself, should be at most this.
        least: The same, at least.
        ceiling: The figure itself should be at most this, also when it has a baseline.
    """

    what: str
    unit: str
    values: tuple[float, ...]
    baseline: str = ""
    baseline_values: tuple[float, ...] = ()
    most: float | None = None
    least: float | None = None
    ceiling: float | None = None

    @property
    def value(self) -> float:
        """The median."""
        return statistics.median(self.values)

    @property
    def ratio(self) -> float | None:
        """To the baseline; None without one."""
        if not self.baseline_values:
            return None
        base = statistics.median(self.baseline_values)
        return self.value / base if base else None

    @property
    def target(self) -> str:
        """In words; empty when there is none."""
        times = "x" if self.baseline else f" {self.unit}"
        limits = [("at most", self.most, times), ("at least", self.least, times)]
        limits.append(("at most", self.ceiling, f" {self.unit}"))
        told = (f"{words} {limit:g}{unit}" for words, limit, unit in limits if limit is not None)
        return ", ".join(told)

    @property
    def is_met(self) -> bool | None:
        """Whether the target is reached; None without one."""
        if not self.target:
            return None
        found = self.ratio if self.baseline else self.value
        if found is None:  # a baseline of zero has no ratio
            return None if self.ceiling is None else self.value <= self.ceiling
        return (
            (self.most is None or found <= self.most)
            and (self.least is None or found >= self.least)
            and (self.ceiling is None or self.value <= self.ceiling)
        )


def is_quick() -> bool:
    """Whether to see only that the benchmark runs to its end (`--quick`); figures say nothing."""
    return "--quick" in sys.argv


def publish(name: str, figures: Sequence[Figure]) -> None:
    """Print figures, and keep them when `--json FOLDER` was given.

    Args:
        name: Of the benchmark.
        figures: In the order in which they are shown.
    """
    print(f"{name} (median, lowest to highest)")
    for figure in figures:
        print(_line(figure))
    if "--json" in sys.argv:
        folder = Path(sys.argv[sys.argv.index("--json") + 1])
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{name}.json"
        file.write_text(json.dumps(_document(name, figures), indent=2) + "\n")


def _line(figure: Figure) -> str:
    low, high = min(figure.values), max(figure.values)
    told = f"  {figure.what:58} {figure.value:9.3f} {figure.unit:7} ({low:.3f} to {high:.3f})"
    if figure.baseline_values:
        base = statistics.median(figure.baseline_values)
        told += f"   {figure.baseline}: {base:.3f}"
        told += "" if figure.ratio is None else f"   ratio {figure.ratio:.3f}"
    if figure.target:
        told += f"   {figure.target}: {'reached' if figure.is_met else 'NOT REACHED'}"
    return told


def _document(name: str, figures: Sequence[Figure]) -> dict:
    return {
        "benchmark": name,
        "commit": _git("rev-parse", "--short=12", "HEAD") or "unknown",
        "is_changed": bool(_git("status", "--porcelain", "--", ".", *WRITTEN_BY_BENCHMARKS)),
        "is_quick": is_quick(),
        "measured_at": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": {
            "cores": os.cpu_count(),
            "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
            "python": platform.python_version(),
            "system": platform.system(),
            "load_before": round(LOAD_BEFORE, 2),
        },
        "figures": [
            {
                **asdict(figure),
                "value": figure.value,
                "spread": [min(figure.values), max(figure.values)],
                "ratio": figure.ratio,
                "target": figure.target,
                "is_met": figure.is_met,
            }
            for figure in figures
        ],
    }


def _git(*words: str) -> str:
    command = ["git", "-C", str(ROOT), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

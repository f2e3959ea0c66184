"""Makes whole documents of experiments, as `experiment.json` holds them, with made-up curves."""

import math
from typing import Any

from tests.support.histories import make_attempt, make_provenance


def make_document(
    name: str = "toy",
    *,
    loops: int = 5,
    classes: int = 3,
    batch: int = 20,
    pool: int = 2000,
    slope: float = 1.0,
    **changed: Any,
) -> dict[str, Any]:
    """An experiment that is finished and tells everything.

    Args:
        slope: How quickly its metrics rise; that of a control is smaller.
    """
    return {
        "schema": 1,
        "name": name,
        "state": "finished",
        "reason": "",
        "control": None,
        "control_of": None,
        "pipeline": "toy",
        "pool": {"size": pool, "digest": None},
        "settings": {
            "name": name,
            "task": "classification",
            "classes": [f"class {column}" for column in range(classes)],
            "batch": batch,
            "loops": loops,
            "seed": 0,
            "labels": {"kind": "known"},
        },
        "times": {"created_at": "2026-01-01T00:00:00Z", "ended_at": "2026-01-01T09:00:00Z"},
        "loops": [
            make_told_loop(loop, classes=classes, batch=batch, pool=pool, slope=slope)
            for loop in range(loops)
        ],
        **changed,
    }


def make_told_loop(
    loop: int, *, classes: int = 3, batch: int = 20, pool: int = 2000, slope: float = 1.0
) -> dict[str, Any]:
    """A loop that is done and tells everything."""
    labels = batch * (loop + 1)
    accuracy = round(1 - 0.6 * math.exp(-slope * labels / (20 * classes)), 6)
    support = [10 + column for column in range(classes)]
    right = [round(accuracy * count) for count in support]
    confusion = [
        [
            right[row] if row == column else (support[row] - right[row] if step == 1 else 0)
            for column in range(classes)
            for step in [(column - row) % classes]
        ]
        for row in range(classes)
    ]
    selected = list(range(loop * batch, labels))
    edges = [round(bin_ / 20, 4) for bin_ in range(21)]
    return {
        "loop": loop,
        "state": "done",
        "problem": "",
        "labels": labels,
        "batch": batch,
        "chosen_by": "random" if loop == 0 else "diverse_margin 90 %, random 10 %",
        "selected": selected,
        "names": [f"sample-{index}.txt" for index in selected],
        "batch_labels": [index % classes for index in selected],
        "selection": {
            "scores": [None if loop == 0 else round(index % 100 / 500, 4) for index in selected],
            "reasons": ["random" if loop == 0 else "diverse_margin" for _ in selected],
            "between": [None if loop == 0 else [index % classes, 0] for index in selected],
            "pool": pool - loop * batch,
            "equal_rows": 0,
            "predicted": None if loop == 0 else _shares(pool - loop * batch, classes),
            "histogram": None
            if loop == 0
            else {
                "strategy": "diverse_margin",
                "edges": edges,
                "counts": [(bin_ * 37) % 90 + 5 for bin_ in range(20)],
                "chosen": [batch if bin_ == 0 else 0 for bin_ in range(20)],
                "cut": 0.2,
            },
            "near_misses": []
            if loop == 0
            else [{"index": pool - 1, "score": 0.21, "between": [0, 1]}],
            "settings": {
                "batch": batch,
                "strategy": [{"name": "diverse_margin", "share": 0.9},
                             {"name": "random", "share": 0.1}],
            },
        },
        "metrics": {
            "accuracy": accuracy,
            "macro_f1": round(accuracy - 0.02, 6),
            "macro_precision": round(accuracy - 0.01, 6),
            "macro_recall": round(accuracy - 0.03, 6),
        },
        "per_class": {
            "precision": [round(accuracy - column / 100, 6) for column in range(classes)],
            "recall": [round(accuracy - column / 90, 6) for column in range(classes)],
            "f1": [round(accuracy - column / 95, 6) for column in range(classes)],
            "support": support,
        },
        "confusion": confusion,
        "calibration": {
            "ece": 0.042,
            "bins": [
                {"low": low / 10, "high": (low + 1) / 10, "count": 12 * low,
                 "confidence": low / 10 + 0.05 if low else None,
                 "accuracy": low / 10 + 0.02 if low else None}
                for low in range(10)
            ],
        },
        "metrics_error": None,
        "class_counts": {
            "labelled": _shares(labels, classes),
            "predicted": _shares(pool - labels, classes),
        },
        "label_changes": None,
        "hyperparams": {"epochs": 3},
        "provenance": make_provenance(),
        "rows": {"train": 0, "test": sum(support), "infer": pool - labels},
        "warnings": {"train": [], "test": [], "infer": []},
        "times": {
            "selected_at": f"2026-01-01T{loop % 24:02}:00:00Z",
            "done_at": f"2026-01-01T{loop % 24:02}:40:00Z",
            "seconds": {"train": 100.0 + 10 * loop, "test": 5.0, "infer": 30.0},
            "steps": {},
        },
        "attempts": [make_attempt(issued_at="", started_at="", ended_at="")],
    }  # fmt: skip


def _shares(total: int, classes: int) -> list[int]:
    """Unequal shares of a total."""
    weights = [classes - column for column in range(classes)]
    counts = [total * weight // sum(weights) for weight in weights]
    counts[0] += total - sum(counts)
    return counts

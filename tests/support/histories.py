"""Makes histories of experiments, as a hub gives them."""

from typing import Any


def make_loop(loop: int, **changed: Any) -> dict[str, Any]:
    """A loop of batches of two that is done and tells everything; the same but for its number."""
    return {
        "loop": loop,
        "state": "done",
        "labels": 2 * (loop + 1),
        "selected": [2 * loop, 2 * loop + 1],
        "chosen_by": "margin",
        "selection": {"settings": {"batch": 2, "strategy": [{"name": "margin", "share": 1.0}]}},
        "metrics": {"accuracy": 0.5},
        "per_class": {"f1": [0.5, 0.25], "support": [10, 6]},
        "hyperparams": {"epochs": 3},
        "provenance": make_provenance(),
        "rows": {"train": 0, "test": 16, "infer": 4},
        "warnings": {"train": [], "test": ["few rows"]},
        "times": {"seconds": {"train": 1.5}},
        "attempts": [make_attempt()],
        **changed,
    }


def make_attempt(**changed: Any) -> dict[str, Any]:
    """An attempt that trained."""
    return {
        "attempt": 1,
        "agent": "gpu01",
        "checkpoint": "toy-ckpt",
        "resume_from": "toy-ckpt-before",
        "counted": ["train", "test"],
        **changed,
    }


def make_provenance(**changed: Any) -> dict[str, Any]:
    """Code, interpreter and args of a train run."""
    return {
        "code": {
            "digest": "d" * 64,
            "files": {"net.py": "aaaaaaaaaaaa", "processes.py": "bbbbbbbbbbbb"},
            "git_commit": "c" * 40,
            "is_dirty": False,
        },
        "interpreter": {
            "version": "3.11.2",
            "implementation": "cpython",
            "path": "/usr/bin/python3",
            "packages": {"numpy": "1.26", "torch": "2.1"},
        },
        "args": {"lr": 0.1, "deep": {"on": True}},
        "args_digest": "1" * 64,
        **changed,
    }


def make_history(*loops: dict[str, Any], classes: Any = 2) -> dict[str, Any]:
    """The experiment `toy`."""
    return {"name": "toy", "settings": {"classes": classes}, "loops": list(loops)}

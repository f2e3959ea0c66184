"""scikit-learn, which takes a second, is loaded for strategies that need it only."""

import json
import subprocess
import sys

import pytest

SCRIPT = """
import io, sys
from alectio_agent.analysis.worker import serve
serve(io.BytesIO(sys.stdin.buffer.read()), io.BytesIO())
print("sklearn" in sys.modules)
"""
TESTED = {"rows": [[0, [0, 1]], [1, [1, 1]]]}


@pytest.mark.parametrize(("soon", "is_loaded"), [("margin", False), ("diverse_margin", True)])
def test_what_a_later_strategy_needs_is_loaded_after_an_answer(soon: str, is_loaded: bool) -> None:
    first = {
        "op": "select", "seed": 0, "loop": 0, "batch": 2, "strategy": [{"name": "random"}],
        "pool": 9, "soon": [soon],
    }  # fmt: skip
    judge = {"op": "metrics", "classes": 2, "result": {"inline": TESTED}, "soon": [soon]}
    lines = "".join(json.dumps(request) + "\n" for request in (first, judge))
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT], input=lines, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == str(is_loaded)

"""Chooses at random, from the seed and the loop: stands for the analysis process."""

import gzip
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.simulation.world import World


class RandomAnalysis:
    """Implements `hub.experiments.analysis_process.Analysis`."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        self._world.scheduler.sleep(self._world.faults.between(0.01, 1.0))
        if request["op"] == "metrics":
            return {"metrics": {"accuracy": 0.5}, "per_class": {}, "confusion": []}
        labelled = set(request.get("labeled", ()))
        if request["result"] is None:
            rest = [index for index in range(request["pool"]) if index not in labelled]
        else:
            rest = [index for index in _indices(request["result"]) if index not in labelled]
        rng = random.Random(request["seed"] * 1000 + request["loop"])
        chosen = sorted(rng.sample(rest, request["batch"]))
        return {
            "indices": chosen,
            "scores": [None] * len(chosen),
            "reasons": ["random"] * len(chosen),
        }


def _indices(result: dict[str, Any]) -> list[int]:
    if result["inline"] is not None:
        return [row[0] for row in result["inline"]["rows"]]
    lines = [
        line
        for part in result["parts"]
        for line in gzip.decompress(Path(part).read_bytes()).splitlines()
    ]
    return sorted(json.loads(line)[0] for line in lines)

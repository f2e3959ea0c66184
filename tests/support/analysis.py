"""Pools, results and parts for tests of selection and metrics."""

import gzip
import json
from pathlib import Path

import numpy as np

from alectio_agent.analysis.files import NDJSON, NPZ, ResultFiles
from alectio_agent.analysis.outputs import Outputs
from alectio_agent.analysis.strategies.mix import Batch, Rules, Share, choose
from alectio_agent.analysis.strategies.pool import Pool


def random_logits(n: int, classes: int = 10, seed: int = 0, dtype: str = "f4") -> np.ndarray:
    """Logits on a grid of 1/64, so that sums with small whole numbers are exact."""
    values = np.random.default_rng(seed).standard_normal((n, classes)) * 3
    return (np.round(values * 64) / 64).astype(dtype)


def pool_of(logits: object, index: object = None, kind: str = "logits", **extra: object) -> Pool:
    """A pool with one block of scores."""
    matrix = np.asarray(logits)
    samples = np.arange(len(matrix)) if index is None else np.asarray(index)
    return Pool(samples.astype(np.int64), Outputs((matrix,), kind=kind, **extra))


def chosen(batch: Batch) -> list[int]:
    """The indices of a batch."""
    return [choice.index for choice in batch.choices]


def select(
    pool: Pool, name: str, n: int, seed: int = 0, loop: int = 1, **rules: object
) -> list[int]:
    """The indices that one strategy chooses."""
    return chosen(choose(pool, [Share(name)], n, Rules(seed, loop, **rules)))


def npz_part(path: Path, **fields: object) -> Path:
    """Write an uncompressed part."""
    np.savez(path, **{name: np.asarray(values) for name, values in fields.items()})
    return path


def ndjson_part(path: Path, rows: list) -> Path:
    """Write a part of gzipped lines of JSON."""
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return path


def npz_result(*parts: Path) -> ResultFiles:
    """A result in `.npz` parts."""
    return ResultFiles(NPZ, parts)


def ndjson_result(*parts: Path) -> ResultFiles:
    """A result in parts of gzipped lines."""
    return ResultFiles(NDJSON, parts)


def inline_result(rows: list) -> ResultFiles:
    """A small result."""
    return ResultFiles("application/json", rows=rows)

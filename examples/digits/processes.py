"""Hooks for handwritten digits: logistic regression on 64 pixels, ten classes.

Of scikit-learn's digits the first 1,437 are the pool and the last 360 the test set. The hooks are
plain functions from a payload to a result; nothing here imports alectio_agent.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

POOL_SIZE = 1437
CLASSES = 10

# scikit-learn's own default, not tuned on the test set.
REGULARISATION = 1.0

# Never reached: from the last loop's weights a fit takes a few dozen.
MAX_ITERATIONS = 1000

# The score of a class that no label has shown yet: finite, and never the largest.
UNSEEN = -100.0

_DATA = load_digits()
PIXELS = _DATA.data / 16  # brightness from 0 to 1
DIGITS = _DATA.target


def train(payload):
    """Fit on the labelled samples, starting from the weights of the last loop."""
    weights, offsets = _start_weights(payload)
    labeled = np.array(payload["labeled"], dtype=int)
    pixels, digits = PIXELS[labeled], DIGITS[labeled]
    seen = np.unique(digits)
    iterations = 0
    if len(seen) > 1:
        fitted = _fit(pixels, digits, weights[seen], offsets[seen])
        weights[seen], offsets[seen], iterations = fitted
    # An open file, since savez would add a suffix to a name.
    with _checkpoint(payload, "ckpt_file").open("wb") as file:
        np.savez(file, weights=weights, offsets=offsets, seen=seen)
    print(f"{len(labeled)} labels, {len(seen)} of {CLASSES} classes, {iterations} iterations")
    return {
        "labels": dict(zip(labeled.tolist(), digits.tolist(), strict=True)),
        "hyperparams": {"C": REGULARISATION, "iterations": iterations},
    }


def test(payload):
    """Predict the test set; with its scores, from which calibration is worked out."""
    rows = range(POOL_SIZE, len(DIGITS))
    scores = _scores(payload, rows)
    return {
        "predictions": dict(zip(rows, scores.argmax(axis=1).tolist(), strict=True)),
        "labels": dict(zip(rows, DIGITS[rows].tolist(), strict=True)),
        "outputs": dict(zip(rows, scores, strict=True)),
    }


def infer(payload):
    """Score the samples without a label: a row of ten pre-softmax scores for each."""
    scores = _scores(payload, payload["unlabeled"])
    return {"outputs": dict(zip(payload["unlabeled"], scores, strict=True))}


def _start_weights(payload):
    """The weights and offsets to start from: the last loop's, or zeros."""
    if payload["resume_from"] is None:
        return np.zeros((CLASSES, PIXELS.shape[1])), np.zeros(CLASSES)
    with np.load(_checkpoint(payload, "resume_from")) as saved:
        return saved["weights"], saved["offsets"]


def _fit(pixels, digits, weights, offsets):
    """Fit the seen classes, starting from their weights; also tells the number of iterations.

    With two classes scikit-learn has one row of weights, for the second class over the first.
    """
    is_pair = len(weights) == 2
    model = LogisticRegression(C=REGULARISATION, max_iter=MAX_ITERATIONS, warm_start=True)
    model.coef_ = weights[1:] - weights[:1] if is_pair else weights
    model.intercept_ = offsets[1:] - offsets[:1] if is_pair else offsets
    model.fit(pixels, digits)
    iterations = int(model.n_iter_.max())
    if is_pair:
        halves = np.array([-0.5, 0.5])
        return np.outer(halves, model.coef_[0]), halves * model.intercept_[0], iterations
    return model.coef_, model.intercept_, iterations


def _scores(payload, rows):
    """Scores of samples for all ten classes; the columns of unseen classes are filled in."""
    with np.load(_checkpoint(payload, "ckpt_file")) as saved:
        weights, offsets, seen = saved["weights"], saved["offsets"], saved["seen"]
    spread = np.full((len(rows), CLASSES), UNSEEN)
    spread[:, seen] = (PIXELS[rows] @ weights.T + offsets)[:, seen]
    return spread


def _checkpoint(payload, key):
    """The checkpoint's file: exactly the name in the payload, in the folder in the payload."""
    return Path(payload["ckpt_dir"]) / payload[key]

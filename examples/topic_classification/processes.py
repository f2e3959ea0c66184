"""Hooks for the topics of dialogues: TF-IDF of the words, and a linear model over them.

The data is a JSON list of {"text": ..., "label": ...}, the label being the number of the topic,
from 0. Every fifth text of each topic is the test set, the others are the pool. Nothing here
imports alectio_agent.
"""

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

HERE = Path(__file__).parent

# As many as `classes` in experiment.yaml has names.
TOPICS = 10

# One text in so many goes to the test set.
TEST_EVERY = 5

# Chosen by cross-validation on the pool. Rare topics weigh as much as common ones, or they would
# hardly ever be predicted.
SETTINGS = {"C": 10, "class_weight": "balanced", "max_iter": 1000}

# The score of a topic that no label has shown yet: finite, and never the largest.
UNSEEN = -100.0


class Texts(NamedTuple):
    """All texts, those of the pool first: from number `pool_size` on they are the test set."""

    words: list[str]
    labels: np.ndarray
    features: Any
    pool_size: int


def train(payload):
    """Fit on the labelled texts. It takes less than a second, so it never resumes."""
    texts = _texts(payload)
    labeled = payload["labeled"]
    labels = texts.labels[labeled]
    # A linear model needs two topics; the first batch may show only one.
    model = LogisticRegression(**SETTINGS) if len(set(labels)) > 1 else DummyClassifier()
    model.fit(texts.features[labeled], labels)
    joblib.dump(model, _checkpoint(payload))
    print(f"{len(labeled)} labels, {len(model.classes_)} of {TOPICS} topics")
    return {
        "labels": dict(zip(labeled, labels.tolist(), strict=True)),
        "hyperparams": SETTINGS,
    }


def test(payload):
    """Predict the test set; with its scores the report can show calibration."""
    texts = _texts(payload)
    numbers = range(texts.pool_size, len(texts.words))
    scores = _scores(payload, numbers)
    return {
        "predictions": dict(zip(numbers, scores.argmax(axis=1).tolist(), strict=True)),
        "labels": dict(zip(numbers, texts.labels[numbers].tolist(), strict=True)),
        "outputs": dict(zip(numbers, scores, strict=True)),
    }


def infer(payload):
    """Score the texts without a label: a row of ten pre-softmax scores for each."""
    scores = _scores(payload, payload["unlabeled"])
    return {"outputs": dict(zip(payload["unlabeled"], scores, strict=True))}


def state(payload):
    """Name each text of the pool by its beginning, for people; their number is the pool's size."""
    texts = _texts(payload)
    return {number: texts.words[number][:60] for number in range(texts.pool_size)}


def _texts(payload):
    """The data of `args: {data: ...}` in agent.yaml; a relative path begins beside this file."""
    return _read(HERE / payload["args"]["data"])


@cache
def _read(file):
    """Read and split the data, once in each process."""
    records = json.loads(file.read_text(encoding="utf-8"))
    # A text that comes twice must not be in the pool and in the test set.
    records = list({record["text"]: record for record in records}.values())
    pool, test, seen = [], [], Counter()
    for record in records:
        seen[record["label"]] += 1
        is_test = seen[record["label"]] % TEST_EVERY == 0
        (test if is_test else pool).append(record)
    words = [record["text"] for record in pool + test]
    labels = np.array([record["label"] for record in pool + test])
    if not set(labels.tolist()) <= set(range(TOPICS)):
        raise ValueError(f"{file}: expected labels from 0 to {TOPICS - 1}, found {sorted(seen)}")
    # The pool's words are known before any label is; the test set's are not looked at.
    tfidf = TfidfVectorizer(sublinear_tf=True, min_df=2).fit(words[: len(pool)])
    return Texts(words, labels, tfidf.transform(words), len(pool))


def _scores(payload, numbers):
    """Scores of texts for all topics; the columns of unseen topics are filled in."""
    model = joblib.load(_checkpoint(payload))
    spread = np.full((len(numbers), TOPICS), UNSEEN)
    features = _texts(payload).features[list(numbers)]
    spread[:, model.classes_] = model.predict_log_proba(features)
    return spread


def _checkpoint(payload):
    """The checkpoint's file: exactly the name in the payload, in the folder in the payload."""
    return Path(payload["ckpt_dir"]) / payload["ckpt_file"]

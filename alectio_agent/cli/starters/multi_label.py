"""Hooks for multi-label classification: which of three tags fit a sample? Any number may.

This file runs as it is, on samples that it makes up. Put your own data and model where it says
YOURS. The agent calls train, test and infer in a process of their own, loop after loop, and this
file may import whatever the interpreter of that process has.
"""

import json
import math
import random
from pathlib import Path

from alectio_agent import track  # known in any interpreter: the agent brings it along

TAGS = 3  # as `classes` in experiment.yaml
POOL_SIZE = 300  # samples 0 .. 299 may be chosen; as `pool_size` in agent.yaml
TEST_SAMPLES = range(300, 420)  # never in the pool, the same in every loop
EPOCHS = 30
HIDDEN_RULES = [(2.0, -1.0, 0.5), (-1.5, 1.0, 1.0), (0.5, 1.5, -2.0)]


def load_sample(index):
    """YOURS: the features and the tags (a 0 or a 1 for each) of sample number `index`."""
    chance = random.Random(index)
    features = [chance.uniform(-1, 1) for _ in range(3)]
    sums = [sum(w * f for w, f in zip(rule, features)) for rule in HIDDEN_RULES]
    return [*features, 1.0], [int(value + chance.gauss(0, 0.3) > 0) for value in sums]


def scores_of(model, features):
    """YOURS: one number for each tag, above zero when it fits; before any sigmoid."""
    return [sum(w * f for w, f in zip(row, features)) for row in model]


def train(payload):
    """Learn from payload["labeled"], and save the model under payload["ckpt_file"].

    payload["labeled"] holds the indices of all samples that are labelled so far. For loop 0
    payload["resume_from"] is None; later it names the checkpoint of the loop before.
    """
    if payload["resume_from"] is None:
        model = [[0.0] * 4 for _ in range(TAGS)]
    else:
        model = load_checkpoint(payload, "resume_from")
    samples = [load_sample(index) for index in payload["labeled"]]
    for _epoch in track(range(EPOCHS)):  # shows how far it is
        random.shuffle(samples)  # seeded by the agent: the same run gives the same model
        for features, tags in samples:
            improve(model, features, tags)
    save_checkpoint(payload, model)
    return {"hyperparams": {"epochs": EPOCHS}}  # may be left out


def test(payload):
    """Predict the test set with the checkpoint that is named, not with what train left behind."""
    model = load_checkpoint(payload, "ckpt_file")
    predictions, labels = {}, {}
    for index in TEST_SAMPLES:
        features, labels[index] = load_sample(index)
        predictions[index] = [int(score > 0) for score in scores_of(model, features)]
    right = sum(predictions[index] == labels[index] for index in labels)
    print("all tags right:", round(right / len(labels), 3))  # into the job's log
    return {"predictions": predictions, "labels": labels}


def infer(payload):
    """Give the scores of every sample in payload["unlabeled"]."""
    model = load_checkpoint(payload, "ckpt_file")
    return {
        "outputs": {
            index: scores_of(model, load_sample(index)[0]) for index in payload["unlabeled"]
        }
    }


def improve(model, features, tags):
    """YOURS: one small step of training."""
    for row, score, tag in zip(model, scores_of(model, features), tags):
        error = 1 / (1 + math.exp(-score)) - tag
        for place, value in enumerate(features):
            row[place] -= 0.1 * error * value


def save_checkpoint(payload, model):
    """YOURS: torch.save(...), joblib.dump(...), whatever fits; a file or a folder of this name."""
    Path(payload["ckpt_dir"], payload["ckpt_file"]).write_text(json.dumps(model))


def load_checkpoint(payload, key):
    """YOURS: the other way round."""
    return json.loads(Path(payload["ckpt_dir"], payload[key]).read_text())

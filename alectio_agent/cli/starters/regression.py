"""Hooks for regression: how high is a wave at a place?

This file runs as it is, on numbers that it makes up. Put your own data and model where it says
YOURS. The agent calls train, test and infer in a process of their own, loop after loop, and this
file may import whatever the interpreter of that process has.
"""

import json
import math
import random
from pathlib import Path

from alectio_agent import track  # known in any interpreter: the agent brings it along

POOL_SIZE = 300  # samples 0 .. 299 may be chosen; as `pool_size` in agent.yaml
TEST_SAMPLES = range(300, 400)  # never in the pool, the same in every loop
EPOCHS = 100
BUMPS = [place / 8 for place in range(9)]  # the model is a sum of nine bumps


def load_sample(index):
    """YOURS: the features and the value of sample number `index`; always the same ones."""
    chance = random.Random(index)
    place = chance.random()
    features = [math.exp(-(((place - bump) / 0.1) ** 2)) for bump in BUMPS]
    return features, math.sin(7 * place) + chance.gauss(0, 0.1)


def value_of(model, features):
    """YOURS: the predicted value."""
    return sum(w * f for w, f in zip(model, features))


def train(payload):
    """Learn from payload["labeled"], and save the model under payload["ckpt_file"].

    payload["labeled"] holds the indices of all samples that are labelled so far. For loop 0
    payload["resume_from"] is None; later it names the checkpoint of the loop before.
    """
    if payload["resume_from"] is None:
        model = [0.0] * len(BUMPS)
    else:
        model = load_checkpoint(payload, "resume_from")
    samples = [load_sample(index) for index in payload["labeled"]]
    for _epoch in track(range(EPOCHS)):  # shows how far it is
        random.shuffle(samples)  # seeded by the agent: the same run gives the same model
        for features, value in samples:
            error = value_of(model, features) - value
            for place, feature in enumerate(features):
                model[place] -= 0.1 * error * feature
    save_checkpoint(payload, model)
    return {"hyperparams": {"epochs": EPOCHS}}  # may be left out


def test(payload):
    """Predict the test set with the checkpoint that is named, not with what train left behind."""
    model = load_checkpoint(payload, "ckpt_file")
    predictions, labels = {}, {}
    for index in TEST_SAMPLES:
        features, labels[index] = load_sample(index)
        predictions[index] = value_of(model, features)
    errors = [abs(predictions[index] - labels[index]) for index in labels]
    print("mean absolute error:", round(sum(errors) / len(errors), 3))  # into the job's log
    return {"predictions": predictions, "labels": labels}


def infer(payload):
    """Give the prediction for every sample in payload["unlabeled"]."""
    model = load_checkpoint(payload, "ckpt_file")
    return {
        "outputs": {index: value_of(model, load_sample(index)[0]) for index in payload["unlabeled"]}
    }


def save_checkpoint(payload, model):
    """YOURS: torch.save(...), joblib.dump(...), whatever fits; a file or a folder of this name."""
    Path(payload["ckpt_dir"], payload["ckpt_file"]).write_text(json.dumps(model))


def load_checkpoint(payload, key):
    """YOURS: the other way round."""
    return json.loads(Path(payload["ckpt_dir"], payload[key]).read_text())

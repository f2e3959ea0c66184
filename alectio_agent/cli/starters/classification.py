"""Hooks for classification: which of three groups does a point belong to?

This file runs as it is, on points that it makes up. Put your own data and model where it says
YOURS. The agent calls train, test and infer in a process of their own, loop after loop, and this
file may import whatever the interpreter of that process has.
"""

import json
import math
import random
from pathlib import Path

from alectio_agent import track  # known in any interpreter: the agent brings it along

CLASSES = 3  # as `classes` in experiment.yaml
POOL_SIZE = 300  # samples 0 .. 299 may be chosen; as `pool_size` in agent.yaml
TEST_SAMPLES = range(300, 420)  # never in the pool, the same in every loop
EPOCHS = 30
CENTRES = [(0.0, 0.0), (1.6, 0.4), (0.7, 1.5)]


def load_sample(index):
    """YOURS: the features and the label of sample number `index`; always the same ones."""
    chance = random.Random(index)
    label = index % CLASSES
    x, y = CENTRES[label]
    useless = [chance.gauss(0, 1) for _ in range(6)]  # the model has to find out that they are
    return [x + chance.gauss(0, 0.45), y + chance.gauss(0, 0.45), *useless, 1.0], label


def scores_of(model, features):
    """YOURS: one number for each class, the larger the likelier; before any softmax."""
    return [sum(w * f for w, f in zip(row, features)) for row in model]


def train(payload):
    """Learn from payload["labeled"], and save the model under payload["ckpt_file"].

    payload["labeled"] holds the indices of all samples that are labelled so far. For loop 0
    payload["resume_from"] is None; later it names the checkpoint of the loop before.
    """
    if payload["resume_from"] is None:
        model = [[0.0] * 9 for _ in range(CLASSES)]
    else:
        model = load_checkpoint(payload, "resume_from")
    samples = [load_sample(index) for index in payload["labeled"]]
    labels = [label for _, label in samples]  # in the order of payload["labeled"]
    loss = 0.0
    for _epoch in track(range(EPOCHS)):  # shows how far it is
        random.shuffle(samples)  # seeded by the agent: the same run gives the same model
        loss = 0.0
        for features, label in samples:
            loss += improve(model, features, label) / len(samples)
    save_checkpoint(payload, model)
    print("trained on", len(samples), "samples, loss", round(loss, 3))  # into the job's log
    # Both may be left out; with labels, reports tell how many there are of each class.
    return {"labels": labels, "hyperparams": {"epochs": EPOCHS, "loss": loss}}


def test(payload):
    """Predict the test set with the checkpoint that is named, not with what train left behind."""
    model = load_checkpoint(payload, "ckpt_file")
    predictions, labels, outputs = {}, {}, {}
    for index in TEST_SAMPLES:
        features, labels[index] = load_sample(index)
        outputs[index] = scores_of(model, features)
        predictions[index] = outputs[index].index(max(outputs[index]))
    # outputs may be left out; with them, reports tell how far the scores may be believed.
    return {"predictions": predictions, "labels": labels, "outputs": outputs}


def infer(payload):
    """Give the scores of every sample in payload["unlabeled"]: the next ones are chosen by them."""
    model = load_checkpoint(payload, "ckpt_file")
    return {
        "outputs": {
            index: scores_of(model, load_sample(index)[0]) for index in payload["unlabeled"]
        }
    }


def improve(model, features, label):
    """YOURS: one small step of training; gives the loss before it."""
    scores = scores_of(model, features)
    highest = max(scores)
    weights = [math.exp(score - highest) for score in scores]
    for number, weight in enumerate(weights):
        error = weight / sum(weights) - (number == label)
        for place, value in enumerate(features):
            model[number][place] -= 0.05 * error * value
    return math.log(sum(weights) / weights[label])


def save_checkpoint(payload, model):
    """YOURS: torch.save(...), joblib.dump(...), whatever fits; a file or a folder of this name."""
    Path(payload["ckpt_dir"], payload["ckpt_file"]).write_text(json.dumps(model))


def load_checkpoint(payload, key):
    """YOURS: the other way round."""
    return json.loads(Path(payload["ckpt_dir"], payload[key]).read_text())

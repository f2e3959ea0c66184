"""Hooks for a task of your own: here, to translate sentences word by word.

This file runs as it is, on sentences that it makes up. Put your own data and model where it says
YOURS. The agent calls train, test and infer in a process of their own, loop after loop, and this
file may import whatever the interpreter of that process has.
"""

import json
import random
from pathlib import Path

from alectio_agent import track  # known in any interpreter: the agent brings it along

POOL_SIZE = 200  # samples 0 .. 199 may be chosen; as `pool_size` in agent.yaml
TEST_SAMPLES = range(200, 250)  # never in the pool, the same in every loop
WORDS = [first + second for first in "bdfgklmnprst" for second in ("ax", "el", "im", "on", "up")]


def load_sample(index):
    """YOURS: sample number `index` and its label; always the same ones."""
    chance = random.Random(index)
    sentence = [chance.choice(WORDS) for _ in range(4)]
    return " ".join(sentence), " ".join(word[::-1] for word in sentence)


def train(payload):
    """Learn from payload["labeled"], and save the model under payload["ckpt_file"].

    payload["labeled"] holds the indices of all samples that are labelled so far. For loop 0
    payload["resume_from"] is None; later it names the checkpoint of the loop before.
    """
    model = {} if payload["resume_from"] is None else load_checkpoint(payload, "resume_from")
    for index in track(payload["labeled"]):  # shows how far it is
        sentence, translation = load_sample(index)
        model.update(zip(sentence.split(), translation.split()))
    save_checkpoint(payload, model)
    return {"hyperparams": {"words": len(model)}}  # may be left out


def test(payload):
    """Predict the test set with the checkpoint that is named, not with what train left behind.

    Predictions and labels may be numbers, texts, lists and dicts.
    """
    model = load_checkpoint(payload, "ckpt_file")
    predictions, labels = {}, {}
    for index in TEST_SAMPLES:
        sentence, labels[index] = load_sample(index)
        predictions[index] = " ".join(model.get(word, "?") for word in sentence.split())
    right = sum(predictions[index] == labels[index] for index in labels)
    print("sentences right:", round(right / len(labels), 3))  # into the job's log
    return {"predictions": predictions, "labels": labels}


def infer(payload):
    """Give what the next samples are to be chosen by; numbers, texts, lists and dicts."""
    model = load_checkpoint(payload, "ckpt_file")
    outputs = {}
    for index in payload["unlabeled"]:
        words = load_sample(index)[0].split()
        outputs[index] = {"unknown": sum(word not in model for word in words)}
    return {"outputs": outputs}


def save_checkpoint(payload, model):
    """YOURS: torch.save(...), joblib.dump(...), whatever fits; a file or a folder of this name."""
    Path(payload["ckpt_dir"], payload["ckpt_file"]).write_text(json.dumps(model))


def load_checkpoint(payload, key):
    """YOURS: the other way round."""
    return json.loads(Path(payload["ckpt_dir"], payload[key]).read_text())

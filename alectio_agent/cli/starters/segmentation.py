"""Hooks for segmentation: which class does each pixel of an image belong to?

This file runs as it is, on small images that it makes up. Put your own data and model where it
says YOURS. The agent calls train, test and infer in a process of their own, loop after loop, and
this file may import whatever the interpreter of that process has.
"""

import json
import random
from pathlib import Path

from alectio_agent import track  # known in any interpreter: the agent brings it along

CLASSES = 3  # ground, house and sky, as `classes` in experiment.yaml
POOL_SIZE = 120  # images 0 .. 119 may be chosen; as `pool_size` in agent.yaml
TEST_IMAGES = range(120, 160)  # never in the pool, the same in every loop
SIZE = 8
BRIGHTNESS = [0.2, 0.45, 0.8]


def load_image(index):
    """YOURS: image number `index`, and its map: the class of each pixel."""
    chance = random.Random(index)
    horizon, house = chance.randrange(3, 7), chance.randrange(0, 6)
    mask = [[0 if y >= horizon else 2 for _ in range(SIZE)] for y in range(SIZE)]
    for y in range(horizon - 2, horizon):
        for x in range(house, house + 3):
            mask[y][x] = 1
    light = chance.uniform(0.85, 1.15)
    pixels = [[light * BRIGHTNESS[kind] + chance.gauss(0, 0.08) for kind in row] for row in mask]
    return pixels, mask


def scores_of(model, brightness):
    """YOURS: one number for each class, the larger the likelier."""
    means = [total / count for total, count in zip(model["sums"], model["counts"])]
    return [-((brightness - mean) ** 2) for mean in means]


def train(payload):
    """Learn from payload["labeled"], and save the model under payload["ckpt_file"].

    payload["labeled"] holds the indices of all images that are labelled so far. For loop 0
    payload["resume_from"] is None; later it names the checkpoint of the loop before.
    """
    if payload["resume_from"] is None:
        # A poor guess of the brightness of each class.
        model = {"seen": [], "sums": [60.0, 120.0, 130.0], "counts": [200, 200, 200]}
    else:
        model = load_checkpoint(payload, "resume_from")
    new = sorted(set(payload["labeled"]) - set(model["seen"]))
    for index in track(new):  # shows how far it is
        pixels, mask = load_image(index)
        for row, kinds in zip(pixels, mask):
            for brightness, kind in zip(row, kinds):
                model["sums"][kind] += brightness
                model["counts"][kind] += 1
    model["seen"] += new
    save_checkpoint(payload, model)
    return {"hyperparams": {"images": len(model["seen"])}}  # may be left out


def test(payload):
    """Predict the test set with the checkpoint that is named, not with what train left behind."""
    model = load_checkpoint(payload, "ckpt_file")
    predictions, labels, right = {}, {}, 0
    for index in TEST_IMAGES:
        pixels, labels[index] = load_image(index)
        predictions[index] = [[likeliest(model, pixel) for pixel in row] for row in pixels]
        for row, kinds in zip(predictions[index], labels[index]):
            right += sum(found == kind for found, kind in zip(row, kinds))
    share = right / len(labels) / SIZE**2
    print("pixels right:", round(share, 3))  # into the job's log
    return {"predictions": predictions, "labels": labels}


def infer(payload):
    """Give what the next images are to be chosen by; here the scores of each pixel."""
    model = load_checkpoint(payload, "ckpt_file")
    return {
        "outputs": {
            index: [[scores_of(model, pixel) for pixel in row] for row in load_image(index)[0]]
            for index in payload["unlabeled"]
        }
    }


def likeliest(model, brightness):
    """The class of a pixel."""
    scores = scores_of(model, brightness)
    return scores.index(max(scores))


def save_checkpoint(payload, model):
    """YOURS: torch.save(...), joblib.dump(...), whatever fits; a file or a folder of this name."""
    Path(payload["ckpt_dir"], payload["ckpt_file"]).write_text(json.dumps(model))


def load_checkpoint(payload, key):
    """YOURS: the other way round."""
    return json.loads(Path(payload["ckpt_dir"], payload[key]).read_text())

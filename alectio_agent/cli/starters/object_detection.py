"""Hooks for object detection: where are the grey and the white boxes in an image?

This file runs as it is, on small images that it makes up. Put your own data and model where it
says YOURS. The agent calls train, test and infer in a process of their own, loop after loop, and
this file may import whatever the interpreter of that process has.
"""

import json
import random
from pathlib import Path

from alectio_agent import track  # known in any interpreter: the agent brings it along

CLASSES = 2  # grey and white, as `classes` in experiment.yaml
POOL_SIZE = 120  # images 0 .. 119 may be chosen; as `pool_size` in agent.yaml
TEST_IMAGES = range(120, 160)  # never in the pool, the same in every loop
SIZE = 12
BRIGHTNESS = [0.55, 0.85]
NOISE = 0.06


def load_image(index):
    """YOURS: image number `index`, its boxes (x1, y1, x2, y2, each from 0 to 1), their classes."""
    chance = random.Random(index)
    pixels = [[chance.gauss(0.15, NOISE) for _ in range(SIZE)] for _ in range(SIZE)]
    boxes, objects = [], []
    for left in (0, SIZE // 2):  # at most one box in each half, never touching
        kind = chance.randrange(CLASSES + 1)
        if kind == CLASSES:
            continue
        x, y = left + chance.randrange(2), chance.randrange(6)
        wide, high = chance.randrange(2, 4), chance.randrange(2, 6)
        for row in range(y, y + high):
            for column in range(x, x + wide):
                pixels[row][column] = chance.gauss(BRIGHTNESS[kind], NOISE)
        boxes.append([x / SIZE, y / SIZE, (x + wide) / SIZE, (y + high) / SIZE])
        objects.append(kind)
    return pixels, boxes, objects


def train(payload):
    """Learn from payload["labeled"], and save the model under payload["ckpt_file"].

    payload["labeled"] holds the indices of all images that are labelled so far. For loop 0
    payload["resume_from"] is None; later it names the checkpoint of the loop before.
    """
    if payload["resume_from"] is None:
        # A poor guess of the brightness of each class and, last, the background.
        model = {"seen": [], "sums": [35.0, 60.0, 30.0], "counts": [100, 100, 100]}
    else:
        model = load_checkpoint(payload, "resume_from")
    new = sorted(set(payload["labeled"]) - set(model["seen"]))
    for index in track(new):  # shows how far it is
        learn(model, *load_image(index))
    model["seen"] += new
    save_checkpoint(payload, model)
    return {"hyperparams": {"images": len(model["seen"])}}  # may be left out


def test(payload):
    """Predict the test set with the checkpoint that is named, not with what train left behind."""
    model = load_checkpoint(payload, "ckpt_file")
    predictions, labels = {}, {}
    for index in TEST_IMAGES:
        pixels, boxes, objects = load_image(index)
        found = detect(model, pixels)
        predictions[index] = {key: found[key] for key in ("boxes", "objects", "scores")}
        labels[index] = {"boxes": boxes, "objects": objects}
    right = sum(
        sorted(zip(predictions[index]["boxes"], predictions[index]["objects"]))
        == sorted(zip(labels[index]["boxes"], labels[index]["objects"]))
        for index in labels
    )
    print("images with every box right:", round(right / len(labels), 3))  # into the job's log
    return {"predictions": predictions, "labels": labels}


def infer(payload):
    """Give boxes, scores and pre-softmax scores for every image in payload["unlabeled"]."""
    model = load_checkpoint(payload, "ckpt_file")
    outputs = {}
    for index in payload["unlabeled"]:
        found = detect(model, load_image(index)[0])
        outputs[index] = {key: found[key] for key in ("boxes", "scores", "pre_softmax")}
    return {"outputs": outputs}


def learn(model, pixels, boxes, objects):
    """YOURS: one small step of training; this model only knows how bright things are."""
    for y, row in enumerate(pixels):
        for x, brightness in enumerate(row):
            kind = CLASSES
            for (x1, y1, x2, y2), number in zip(boxes, objects):
                if x1 * SIZE <= x + 0.5 < x2 * SIZE and y1 * SIZE <= y + 0.5 < y2 * SIZE:
                    kind = number
            model["sums"][kind] += brightness
            model["counts"][kind] += 1


def detect(model, pixels):
    """YOURS: what is found in an image; each list has one entry for each box."""
    means = [total / count for total, count in zip(model["sums"], model["counts"])]
    limit = (means[CLASSES] + min(means[:CLASSES])) / 2
    found = {"boxes": [], "objects": [], "scores": [], "pre_softmax": []}
    left = {(x, y) for y in range(SIZE) for x in range(SIZE) if pixels[y][x] > limit}
    while left:
        group = connected(left)
        columns, rows = [x for x, _ in group], [y for _, y in group]
        brightness = sum(pixels[y][x] for x, y in group) / len(group)
        scores = [-((brightness - mean) ** 2) / NOISE for mean in means[:CLASSES]]
        box = [min(columns), min(rows), max(columns) + 1, max(rows) + 1]
        found["boxes"].append([edge / SIZE for edge in box])
        found["objects"].append(scores.index(max(scores)))
        found["scores"].append(1 / (1 + sum(abs(max(scores) - score) < 0.1 for score in scores)))
        found["pre_softmax"].append(scores)
    return found


def connected(left):
    """Take one group of neighbouring pixels out of a set."""
    waiting, group = [left.pop()], []
    while waiting:
        x, y = waiting.pop()
        group.append((x, y))
        for neighbour in ((x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)):
            if neighbour in left:
                left.remove(neighbour)
                waiting.append(neighbour)
    return group


def save_checkpoint(payload, model):
    """YOURS: torch.save(...), joblib.dump(...), whatever fits; a file or a folder of this name."""
    Path(payload["ckpt_dir"], payload["ckpt_file"]).write_text(json.dumps(model))


def load_checkpoint(payload, key):
    """YOURS: the other way round."""
    return json.loads(Path(payload["ckpt_dir"], payload[key]).read_text())

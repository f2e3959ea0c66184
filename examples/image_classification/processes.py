"""Hooks for handwritten digits: a small convolutional network in torch, ten classes.

Of scikit-learn's digits the first 1,437 are the pool and the last 360 the test set. The network
goes on from the weights of the last loop; its last hidden layer is the embedding of an image.
"""

from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn

from alectio_agent import Stopped, progress, should_stop  # in any interpreter: the agent's

POOL_SIZE = 1437
CLASSES = 10

# Images that fit into the memory of any GPU at once.
AT_ONCE = 512

# What the report shows of `args`.
SHOWN = ("epochs", "batch_size", "learning_rate")

# A GPU where there is one.
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

_DATA = load_digits()
IMAGES = torch.tensor(_DATA.images, dtype=torch.float32).unsqueeze(1) / 16  # brightness 0 to 1
DIGITS = torch.tensor(_DATA.target)


class Net(nn.Module):
    """Two convolutions, a hidden layer of 32, ten scores before any softmax."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Dropout(0.2), nn.Linear(512, 32), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(32, CLASSES)

    def forward(self, images):
        """Scores and embeddings."""
        hidden = self.body(images)
        return self.head(hidden), hidden


def train(payload):
    """Train on the labelled images, from the weights of the last loop.

    Weights, batches and dropout are drawn by torch, which the agent has seeded from the seed of the
    experiment, the loop and the step: the same run gives the same network.
    """
    args, labeled = payload["args"], payload["labeled"]
    model = Net() if payload["resume_from"] is None else _load(payload, "resume_from")
    model.to(DEVICE).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=args["learning_rate"])
    images, digits = IMAGES[labeled].to(DEVICE), DIGITS[labeled].to(DEVICE)
    begun, loss = _go_on(payload, model, optimizer), 0.0
    for epoch in range(begun, args["epochs"]):
        if should_stop():  # with `when_stopped: checkpoint`, and when the machine goes down
            _save_partial(payload, model, optimizer, epoch)
            raise Stopped(f"after {epoch} epochs")
        loss = _train_once(model, optimizer, images, digits, args["batch_size"])
        progress(epoch + 1, args["epochs"], loss=loss)  # shown by `run`, with the time left
    torch.save(model.state_dict(), _checkpoint(payload, "ckpt_file"))
    print(f"{len(labeled)} labels, {args['epochs']} epochs, loss {loss:.4f}")
    return {
        "labels": dict(zip(labeled, digits.tolist())),
        "hyperparams": {**{name: args[name] for name in SHOWN}, "loss": loss},
    }


def test(payload):
    """Predict the test set; with its scores the report can show calibration."""
    numbers = range(POOL_SIZE, len(DIGITS))
    scores, _ = _run(payload, numbers)
    return {
        "predictions": dict(zip(numbers, scores.argmax(dim=1).tolist())),
        "labels": dict(zip(numbers, DIGITS[POOL_SIZE:].tolist())),
        "outputs": dict(zip(numbers, scores)),
    }


def infer(payload):
    """Score the images without a label; with embeddings a batch holds images unlike each other."""
    scores, embeddings = _run(payload, payload["unlabeled"])
    rows = zip(payload["unlabeled"], scores, embeddings)
    return {"outputs": {number: {"logits": row, "embedding": place} for number, row, place in rows}}


def _train_once(model, optimizer, images, digits, batch_size):
    """One epoch in a new order; gives the mean loss."""
    total = 0.0
    for batch in torch.randperm(len(images)).split(batch_size):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images[batch])[0], digits[batch])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(images)


def _save_partial(payload, model, optimizer, epoch):
    """Keep what the next attempt needs; renamed when it is whole, since the machine may go down."""
    file = _checkpoint(payload, "ckpt_file")
    saved = {"model": model.state_dict(), "optimizer": optimizer.state_dict()["state"]}
    saved |= {"epoch": epoch, "random": torch.get_rng_state()}
    torch.save(saved, f"{file}.partial.tmp")
    Path(f"{file}.partial.tmp").rename(f"{file}.partial")


def _go_on(payload, model, optimizer):
    """Go on from what an earlier attempt at this loop saved; gives the first epoch to do."""
    if payload["partial"] is None:
        return 0
    saved = torch.load(_checkpoint(payload, "partial"), map_location="cpu", weights_only=True)
    model.load_state_dict(saved["model"])
    groups = optimizer.state_dict()["param_groups"]  # settings, made from `args` as ever
    optimizer.load_state_dict({"state": saved["optimizer"], "param_groups": groups})
    torch.set_rng_state(saved["random"])
    return saved["epoch"]


def _run(payload, numbers):
    """Scores and embeddings of images, in the order of their numbers."""
    model = _load(payload, "ckpt_file").to(DEVICE).eval()
    with torch.no_grad():
        blocks = [model(block.to(DEVICE)) for block in IMAGES[list(numbers)].split(AT_ONCE)]
    scores, embeddings = zip(*blocks)
    return torch.cat(scores).cpu(), torch.cat(embeddings).cpu()


def _load(payload, key):
    """The network with the weights of a checkpoint; weights_only: no code is run to read them."""
    model = Net()
    file = _checkpoint(payload, key)
    model.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    return model


def _checkpoint(payload, key):
    """The checkpoint's file: exactly the name in the payload, in the folder in the payload."""
    return Path(payload["ckpt_dir"]) / payload[key]

# Sorts wines into three cultivars. Written for the Flask SDK; not a line has changed since.
import os
import pickle

import numpy as np
from alectio_sdk.flask_wrapper import Pipeline
from sklearn.datasets import load_wine
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

EXPT_DIR = os.environ["EXPT_DIR"]
EPOCHS = int(os.environ.get("EPOCHS", "60"))

print("Loading wines ...")
wines = load_wine()
order = np.random.RandomState(42).permutation(len(wines.target))
features = StandardScaler().fit_transform(wines.data)[order]
target = wines.target[order]
train_size = 128
classes = [0, 1, 2]
model = None


def train(payload):
    global model
    labeled = payload["labeled"]
    ckpt_file = payload["ckpt_file"]
    resume_from = payload["resume_from"]
    print("Training on", len(labeled), "samples")

    if resume_from is not None:
        print("Resuming from", resume_from)
        load_model(resume_from)
    else:
        model = MLPClassifier(hidden_layer_sizes=(16,), learning_rate_init=0.01, random_state=42)

    for epoch in range(EPOCHS):
        model.partial_fit(features[labeled], target[labeled], classes=classes)
    print("Epoch", epoch, "loss", model.loss_)

    with open(os.path.join(EXPT_DIR, ckpt_file), "wb") as f:
        pickle.dump(model, f)
    return


def test(payload):
    load_model(payload["ckpt_file"])
    predicted = model.predict(features[train_size:])

    predictions, labels = {}, {}
    for i, (prediction, label) in enumerate(zip(predicted, target[train_size:])):
        predictions[i] = prediction
        labels[i] = label
    return {"predictions": predictions, "labels": labels}


def infer(payload):
    unlabeled = payload["unlabeled"]
    load_model(payload["ckpt_file"])
    probabilities = model.predict_proba(features[unlabeled])

    outputs = {}
    for i, row in zip(unlabeled, probabilities):
        outputs[i] = {"pre_softmax": np.log(row + 1e-9).tolist()}
    return {"outputs": outputs}


def load_model(name):
    global model
    with open(os.path.join(EXPT_DIR, name), "rb") as f:
        model = pickle.load(f)


# declare flask app
app = Pipeline(name="wine-sorting", train_fn=train, test_fn=test, infer_fn=infer)

# start server
app(debug=True)

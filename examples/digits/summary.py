"""How many labels the strategy and the control needed for 95 % of the full-data accuracy.

Run it after `alectio-agent run --config examples/digits/agent.yaml`. Ends with 0 when the strategy
needed fewer labels than the control, else with 1.
"""

import csv
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import processes  # noqa: E402 - the hooks lie beside this script

SHARE = 0.95
EXPERIMENTS = ("digits", "digits-control")


def full_data_accuracy():
    """Accuracy of the hooks' own model when the whole pool is labelled."""
    with tempfile.TemporaryDirectory() as folder:
        payload = {"resume_from": None, "ckpt_file": "full", "ckpt_dir": folder}
        processes.train({**payload, "labeled": list(range(processes.POOL_SIZE))})
        result = processes.test(payload)
    pairs = [(result["predictions"][row], label) for row, label in result["labels"].items()]
    return sum(prediction == label for prediction, label in pairs) / len(pairs)


def read_curve(results, experiment):
    """The learning curve of one experiment: pairs of labels and accuracy, loop by loop."""
    with (results / experiment / "loops.csv").open(newline="") as file:
        return [
            (int(row["labels"]), float(row["accuracy"]))
            for row in csv.DictReader(file)
            if row["accuracy"]
        ]


def labels_needed(curve, target):
    """The fewest labels at which the curve is at the target; None when it never is."""
    return next((labels for labels, accuracy in curve if accuracy >= target), None)


def table(curves, target):
    """One line for each experiment."""
    yield f"{'experiment':<16}{'labels to reach it':>20}{'best accuracy':>16}"
    for name, curve in curves.items():
        needed = labels_needed(curve, target)
        shown = f"not in {curve[-1][0]}" if needed is None else str(needed)
        yield f"{name:<16}{shown:>20}{max(accuracy for _, accuracy in curve):>16.3f}"


def needs_fewer(curves, target):
    """Whether the strategy was at the target with fewer labels than the control."""
    ours, control = (labels_needed(curves[name], target) for name in EXPERIMENTS)
    return ours is not None and (control is None or ours < control)


def main(results):
    """Print the comparison."""
    try:
        curves = {name: read_curve(results, name) for name in EXPERIMENTS}
    except FileNotFoundError as error:
        print(f"{error.filename} is not there: run the experiment first", file=sys.stderr)
        return 1
    if not all(curves.values()):
        print(f"{results}: an experiment has no loop with a metric yet", file=sys.stderr)
        return 1
    full = full_data_accuracy()
    target = SHARE * full
    print(
        f"all {processes.POOL_SIZE:,} labels: accuracy {full:.3f}; {SHARE:.0%} of it: {target:.3f}"
    )
    print("\n".join(table(curves, target)))
    return 0 if needs_fewer(curves, target) else 1


if __name__ == "__main__":
    sys.exit(main(HERE / "results"))

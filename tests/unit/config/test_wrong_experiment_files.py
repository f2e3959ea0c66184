"""A table of wrong `experiment.yaml`: each names the line, the whole key, and what to write."""

# ruff: noqa: E501 - a table is read by its columns

import pytest

from tests.support.config_files import EXPERIMENT, experiment_problems

STRATEGIES = "expected one of random, least_confidence, margin, ratio, entropy, diverse_margin"
MIX = "the name of a strategy, or a list of {name: ..., share: ...}"
WITHOUT_CLASSES = "name: digits\nbatch: 30\nloops: 10\n"
WITHOUT_BATCH = "name: digits\nclasses: 10\nloops: 10\n"
BATCHES = "expected a number of 1 or more, a list of them, or {start: ..., growth: ..., max: ...}"

# name: (text, code, line, key, what the line must say)
TABLE = {
    "no name": ("classes: 10\nbatch: 30\nloops: 10\n", 4, 1, "name",
        "missing; expected a name of 1 to 64 letters, digits, '.', '_' and '-'"),
    "no batch": ("# comment\n\n" + WITHOUT_BATCH, 4, 3, "batch", f"missing; {BATCHES}"),
    "no loops": ("name: digits\nclasses: 10\nbatch: 30\n", 4, 1, "loops",
        "missing; expected a whole number of 1 or more"),
    "no classes": (WITHOUT_CLASSES, 4, 1, "classes",
        "missing; expected the names of the classes, or their count"),
    "misspelt key": (EXPERIMENT + "strategie: margin\n", 2, 5, "strategie",
        "Did you mean `strategy`?"),
    "misspelt required key": ("name: digits\nclasses: 10\nbatch: 30\nloop: 10\n", 2, 4, "loop",
        "unknown key. Did you mean `loops`?"),
    "key of the other file": (EXPERIMENT + "hooks: processes.py\n", 2, 5, "hooks",
        "unknown key; expected one of name, pipeline, task,"),
    "key of a part at the top": (EXPERIMENT + "share: 0.5\n", 2, 5, "share",
        "unknown key"),
    "misspelt key of a part": (EXPERIMENT + "strategy:\n  - name: margin\n    shar: 1\n", 2, 7,
        "strategy[0].shar", "Did you mean `share`?"),
    "option of a strategy": (EXPERIMENT + "strategy: {name: margin, beta: 2}\n", 2, 5,
        "strategy.beta", "unknown key; expected one of name, share"),
    "misspelt key of initial": (EXPERIMENT + "initial: {sise: 10}\n", 2, 5, "initial.sise",
        "Did you mean `size`?"),
    "misspelt key of stop": (EXPERIMENT + "stop:\n  max_label: 10\n", 2, 6, "stop.max_label",
        "Did you mean `max_labels`?"),
    "misspelt key of a target": (EXPERIMENT + "stop:\n  target:\n    metrik: accuracy\n"
        "    value: 0.9\n", 2, 7, "stop.target.metrik", "Did you mean `metric`?"),
    "key of labels": (EXPERIMENT + "labels: {kind: csv, timeot: 1d}\n", 2, 5, "labels.timeot",
        "Did you mean `timeout`?"),
    "timeout of known labels": (EXPERIMENT + "labels: {kind: known, timeout: 1d}\n", 6, 5,
        "labels.timeout", "found 1d, which is about labels that people give; expected `kind: csv`"),
    "share of known labels": (EXPERIMENT + "labels:\n  min_returned: 0.5\n", 6, 6,
        "labels.min_returned", "expected `kind: csv` beside it, or no such key"),
    "share of more than all": (EXPERIMENT + "labels: {kind: csv, min_returned: 1.5}\n", 3, 5,
        "labels.min_returned", "found 1.5, expected a number above 0 and at most 1"),
    "control of labels by people": (EXPERIMENT + "labels: {kind: csv}\ncontrol: replay\n", 6, 6,
        "control", "found 'replay', which needs the labels of samples that nobody is asked for; "
        "expected `control: none`, or `labels: {kind: known}`"),
    "class that means an exclusion": (EXPERIMENT.replace("10\nbatch", "[cat, '-']\nbatch")
        + "labels: {kind: csv}\n", 6, 2, "classes", "found a class '-', which means an excluded sample"),
    "twice": (EXPERIMENT + "batch: 60\n", 5, 5, "batch", "stands twice, first in line 3; keep one"),
    "name with a space": (EXPERIMENT.replace("digits", "my digits"), 3, 1, "name",
        "found 'my digits', expected a name of 1 to 64 letters, digits, '.', '_' and '-'"),
    "name that begins with a dot": (EXPERIMENT.replace("digits", ".digits"), 3, 1, "name",
        "found '.digits', expected a name"),
    "name of two lines": (EXPERIMENT.replace("digits", '"digits\\n"'), 3, 1, "name",
        "found 'digits\\x0a', expected a name"),
    "number as a name": (EXPERIMENT.replace("digits", "2024"), 3, 1, "name",
        "found 2024, expected a name of 1 to 64 letters, digits, '.', '_' and '-' that begins with a "
        "letter or digit; put it in quotes"),
    "pipeline with a slash": (EXPERIMENT + "pipeline: a/b\n", 3, 5, "pipeline",
        "found 'a/b', expected a name"),
    "misspelt task": (EXPERIMENT + "task: clasification\n", 3, 5, "task",
        "found 'clasification', expected one of classification, multi_label, regression, "
        "object_detection, segmentation, custom. Did you mean `classification`?"),
    "misspelt output": (EXPERIMENT + "output: logit\n", 3, 5, "output", "Did you mean `logits`?"),
    "one class": (EXPERIMENT.replace("10\nbatch", "1\nbatch"), 3, 2, "classes",
        "found 1, expected at least two classes"),
    "one name of a class": (EXPERIMENT.replace("10\nbatch", "[cat]\nbatch"), 3, 2, "classes",
        "found 1 class, expected at least two"),
    "no class": (EXPERIMENT.replace("10\nbatch", "[]\nbatch"), 3, 2, "classes",
        "found 0 classes, expected at least two"),
    "class twice": (EXPERIMENT.replace("10\nbatch", "[cat, dog, cat]\nbatch"), 3, 2, "classes",
        "found class 'cat' twice, expected distinct names"),
    "class without a name": (EXPERIMENT.replace("10\nbatch", "[cat, '']\nbatch"), 3, 2, "classes",
        "found a class without a name, expected distinct names"),
    "class that is a number": (EXPERIMENT.replace("10\nbatch", "\n  - cat\n  - 7\nbatch"), 3, 4,
        "classes[1]", "found 7, expected text; put it in quotes"),
    "count in quotes": (EXPERIMENT.replace("10\nbatch", "'10'\nbatch"), 3, 2, "classes",
        "found '10', expected the names of the classes, or their count"),
    "classes as a mapping": (EXPERIMENT.replace("10\nbatch", "{cat: 0}\nbatch"), 3, 2, "classes",
        "found a mapping, expected the names of the classes, or their count"),
    "pool in quotes": (EXPERIMENT + "pool: '10003'\n", 3, 5, "pool",
        "found '10003', expected a whole number of 1 or more"),
    "bool as pool": (EXPERIMENT + "pool: true\n", 3, 5, "pool", "found true, expected a whole number"),
    "digits grouped": (EXPERIMENT + "pool: 10_003\n", 3, 5, "pool",
        "found '10_003', expected a whole number of 1 or more"),
    "absurd number": (EXPERIMENT + f"pool: {'9' * 5000}\n", 3, 5, "pool", "expected a whole number"),
    "negative seed": (EXPERIMENT + "seed: -1\n", 3, 5, "seed",
        "found -1, expected a whole number of 0 or more"),
    "fraction as a seed": (EXPERIMENT + "seed: 1.0\n", 3, 5, "seed",
        "found 1.0, expected a whole number of 0 or more"),
    "batch of nothing": (WITHOUT_BATCH + "batch: 0\n", 3, 4, "batch", f"found 0, {BATCHES}"),
    "batch as a word": (WITHOUT_BATCH + "batch: all\n", 3, 4, "batch", f"found 'all', {BATCHES}"),
    "empty list of batches": (WITHOUT_BATCH + "batch: []\n", 3, 4, "batch", "found an empty list"),
    "a word among batches": (WITHOUT_BATCH + "batch: [30, many]\n", 3, 4, "batch[1]",
        "found 'many', expected a whole number of 1 or more"),
    "growth without max": (WITHOUT_BATCH + "batch:\n  start: 10\n  growth: 2\n", 4, 4, "batch.max",
        "missing; expected a whole number of 1 or more"),
    "growth that shrinks": (WITHOUT_BATCH + "batch:\n  start: 10\n  growth: 0.5\n  max: 20\n", 3, 6,
        "batch.growth", "found 0.5, expected a number above 1"),
    "growth with a misspelt key": (WITHOUT_BATCH + "batch: {start: 10, grow: 2, max: 20}\n", 2, 4,
        "batch.grow", "Did you mean `growth`?"),
    "max below start": (WITHOUT_BATCH + "batch:\n  start: 10\n  growth: 2\n  max: 5\n", 6, 7,
        "batch.max", "found 5, expected at least `start`, which is 10"),
    "no loop": (EXPERIMENT.replace("loops: 10", "loops: 0"), 3, 4, "loops",
        "found 0, expected a whole number of 1 or more"),
    "initial strategy with scores": (EXPERIMENT + "initial: {strategy: margin}\n", 3, 5,
        "initial.strategy", "found 'margin', expected the word random"),
    "misspelt strategy": (EXPERIMENT + "strategy: marginn\n", 3, 5, "strategy",
        f"found 'marginn', {STRATEGIES}. Did you mean `margin`?"),
    "misspelt strategy in a list": (EXPERIMENT + "strategy:\n  - margin\n  - randm\n", 3, 7,
        "strategy[1]", "Did you mean `random`?"),
    "misspelt strategy in a part": (EXPERIMENT + "strategy:\n  - name: diverse-margin\n", 3, 6,
        "strategy[0].name", "found 'diverse-margin', expected one of random"),
    "number as a strategy": (EXPERIMENT + "strategy: 5\n", 3, 5, "strategy", f"found 5, expected {MIX}"),
    "no strategy": (EXPERIMENT + "strategy: []\n", 3, 5, "strategy",
        "found no strategy, expected at least one"),
    "part without a name": (EXPERIMENT + "strategy:\n  - share: 1\n", 4, 6, "strategy[0].name",
        f"missing; {STRATEGIES}"),
    "shares below one": (EXPERIMENT + "strategy:\n  - {name: margin, share: 0.5}\n"
        "  - {name: random, share: 0.4}\n", 3, 5, "strategy",
        "found shares that sum to 0.9, expected a sum of 1"),
    "shares above one": (EXPERIMENT + "strategy: [margin, random]\n", 3, 5, "strategy",
        "found shares that sum to 2, expected a sum of 1"),
    "share as a percentage": (EXPERIMENT + "strategy: {name: margin, share: 90}\n", 3, 5,
        "strategy.share", "found 90, expected a number above 0 and at most 1"),
    "share of nothing": (EXPERIMENT + "strategy:\n  - {name: margin, share: 0}\n  - random\n", 3, 6,
        "strategy[0].share", "found 0, expected a number above 0 and at most 1"),
    "schedule as a mapping": (EXPERIMENT + "schedule: {from_labels: 5, strategy: margin}\n", 3, 5,
        "schedule", "found a mapping, expected a list"),
    "schedule without a start": (EXPERIMENT + "schedule:\n  - strategy: margin\n", 4, 6,
        "schedule[0].from_labels", "missing; expected a whole number of 0 or more"),
    "misspelt strategy in the schedule": (EXPERIMENT + "schedule:\n  - from_labels: 5\n"
        "    strategy: entropi\n", 3, 7, "schedule[0].strategy", "Did you mean `entropy`?"),
    "misspelt tie break": (EXPERIMENT + "tie_break: seed\n", 3, 5, "tie_break",
        "expected one of seeded, index. Did you mean `seeded`?"),
    "unknown dedup": (EXPERIMENT + "dedup: none\n", 3, 5, "dedup",
        "found 'none', expected the word exact or null"),
    "bool as subsample": (EXPERIMENT + "subsample: true\n", 3, 5, "subsample", "found true, expected"),
    "labels of a later version": (EXPERIMENT + "labels: {kind: hook}\n", 3, 5, "labels.kind",
        "found 'hook', expected one of known, csv"),
    "unknown metric": (EXPERIMENT + "stop:\n  target: {metric: f1, value: 0.9}\n", 3, 6,
        "stop.target.metric", "expected one of accuracy, macro_f1, macro_precision, macro_recall"),
    "target in quotes": (EXPERIMENT + "stop:\n  target: {metric: macro_f1, value: '0.9'}\n", 3, 6,
        "stop.target.value", "found '0.9', expected a number"),
    "no patience": (EXPERIMENT + "stop:\n  target: {metric: accuracy, value: 1, patience: 0}\n", 3, 6,
        "stop.target.patience", "found 0, expected a whole number of 1 or more"),
    "misspelt control": (EXPERIMENT + "control: reply\n", 3, 5, "control",
        "found 'reply', expected one of none, replay. Did you mean `replay`?"),
    "bool as control": (EXPERIMENT + "control: true\n", 3, 5, "control",
        "found true, expected one of none, replay"),
    "name of a control with a control": (EXPERIMENT.replace("digits", "digits-control")
        + "control: replay\n", 6, 1, "name", "found 'digits-control', expected a name that does not "
        "end in -control; `control: replay` adds that to make its own name"),
    "name too long for its control": (EXPERIMENT.replace("digits", "d" * 57) + "control: replay\n", 6,
        1, "name", "found a name of 57 letters, expected at most 56"),
    "bare tag": (EXPERIMENT + "tags: a100\n", 3, 5, "tags", "found 'a100', expected a list"),
    "negative retries": (EXPERIMENT + "retries: -1\n", 3, 5, "retries",
        "found -1, expected a whole number of 0 or more"),
    "misspelt affinity": (EXPERIMENT + "affinity: prefers\n", 3, 5, "affinity", "Did you mean `prefer`?"),
    "wrong affinity timeout": (EXPERIMENT + "affinity_timeout: an hour\n", 3, 5, "affinity_timeout",
        "found 'an hour', expected a duration such as 30s, 5m, 1h 30m or 7d"),
    "wrong takeover": (EXPERIMENT + "takeover_after: automatic\n", 3, 5, "takeover_after",
        "found 'automatic', expected a duration such as 30s, 5m, 1h 30m or 7d"),
    "strategy without scores": (EXPERIMENT + "task: multi_label\nstrategy: margin\n", 6, 6, "strategy",
        "found 'margin', which needs `output: logits` or `output: probabilities`, not "
        "multilabel_logits; expected `strategy: random`"),
    "default strategy without scores": (WITHOUT_CLASSES + "task: regression\n", 6, 1, "strategy",
        "found 'diverse_margin', which needs `output: logits`"),
    "schedule without scores": (EXPERIMENT + "output: detection\nstrategy: random\nschedule:\n"
        "  - from_labels: 9\n    strategy: entropy\n", 6, 9, "schedule[0].strategy",
        "found 'entropy', which needs `output: logits`"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code", "line", "key", "mend"), list(TABLE.values()), ids=list(TABLE)
)
def test_one_mistake_gives_one_line_with_place_key_and_mend(text, code, line, key, mend):
    (said,) = experiment_problems(text)
    assert said.startswith(f"E-CONF-0{code}  experiment.yaml:{line} {key}: ")
    assert mend in said


def test_seven_mistakes_are_shown_at_once_in_the_order_of_the_file():
    lines = experiment_problems(
        "name: my digits\n"
        "task: clasification\n"
        "batch: {start: 10, growth: 2, max: 5}\n"
        "strategy:\n"
        "  - {name: marginn, share: 0.9}\n"
        "  - {name: random, shere: 0.1}\n"
        "affinity_timeout: soon\n"
        "affinity_timeout: 1h\n"
        "loops: 10\n"
    )
    assert [line.split(": ")[0] for line in lines] == [
        "E-CONF-03  experiment.yaml:1 name",
        "E-CONF-03  experiment.yaml:2 task",
        "E-CONF-06  experiment.yaml:3 batch.max",
        "E-CONF-03  experiment.yaml:5 strategy[0].name",
        "E-CONF-02  experiment.yaml:6 strategy[1].shere",
        "E-CONF-03  experiment.yaml:7 affinity_timeout",
        "E-CONF-05  experiment.yaml:8 affinity_timeout",
    ]


def test_rules_between_keys_are_judged_even_when_other_keys_are_wrong():
    """A library's validator would stop at the wrong seed, and tell the rest only next time."""
    lines = experiment_problems(
        "name: a-control\nbatch: {start: 9, growth: 2, max: 5}\nseed: x\ncontrol: replay\n"
    )
    assert [line.split(": ")[0] for line in lines] == [
        "E-CONF-04  experiment.yaml:1 classes",
        "E-CONF-04  experiment.yaml:1 loops",
        "E-CONF-06  experiment.yaml:1 name",
        "E-CONF-06  experiment.yaml:2 batch.max",
        "E-CONF-03  experiment.yaml:3 seed",
    ]


def test_a_rule_about_a_wrong_key_is_not_judged():
    """Of a misspelt task nobody knows whether it needs classes."""
    (said,) = experiment_problems(WITHOUT_CLASSES + "task: regresion\n")
    assert "experiment.yaml:4 task: " in said

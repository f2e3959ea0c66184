"""The topic hooks, called as plain functions."""

import json
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import yaml

from tests.support.examples import EXAMPLES, load_module

EXAMPLE = EXAMPLES / "topic_classification"
SAMPLE = EXAMPLE / "sample.json"


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    return load_module("topic_classification", "processes")


def payload(folder: Path, data: object = "sample.json", **fields: Any) -> dict[str, Any]:
    return {"ckpt_dir": str(folder), "ckpt_file": "topics-ckpt_0", "args": {"data": str(data)},
            "resume_from": None, **fields}  # fmt: skip


def write_texts(folder: Path, labels: list[int], *, same: bool = False) -> Path:
    file = folder / "texts.json"
    texts = [
        "the very same words" if same else f"common words and w{n}" for n in range(len(labels))
    ]
    file.write_text(
        json.dumps([{"text": t, "label": n} for t, n in zip(texts, labels, strict=True)])
    )
    return file


def test_a_relative_path_begins_beside_the_hooks_and_an_absolute_one_is_taken(
    hooks: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = hooks.state(payload(tmp_path))
    assert hooks.state(payload(tmp_path, SAMPLE)) == names
    assert list(names) == list(range(len(names)))


def test_every_fifth_text_of_each_topic_is_the_test_set(hooks: ModuleType, tmp_path: Path) -> None:
    file = write_texts(tmp_path, [0] * 10 + [1] * 6 + [2] * 4)
    everything = payload(tmp_path, file, labeled=list(range(17)))
    assert len(hooks.state(everything)) == 17
    hooks.train(everything)
    result = hooks.test(everything)
    assert result["labels"] == {17: 0, 18: 0, 19: 1}
    assert result["predictions"].keys() == result["outputs"].keys() == result["labels"].keys()


def test_a_text_that_comes_twice_is_not_in_pool_and_test_set(
    hooks: ModuleType, tmp_path: Path
) -> None:
    records = json.loads(write_texts(tmp_path, [0] * 10).read_text())
    file = tmp_path / "twice.json"
    file.write_text(json.dumps(records + records))
    assert len(hooks.state(payload(tmp_path, file))) == 8


def test_train_tells_the_labels_of_exactly_what_is_labelled(
    hooks: ModuleType, tmp_path: Path
) -> None:
    result = hooks.train(payload(tmp_path, labeled=[3, 8, 40]))
    assert result["labels"].keys() == {3, 8, 40}
    assert [file.name for file in tmp_path.iterdir()] == ["topics-ckpt_0"]


def test_a_first_batch_of_one_topic_predicts_that_topic(hooks: ModuleType, tmp_path: Path) -> None:
    labels = hooks.train(payload(tmp_path, labeled=list(range(40))))["labels"]
    of_one = [index for index, topic in labels.items() if topic == 4][:3]
    hooks.train(payload(tmp_path, labeled=of_one))
    assert set(hooks.test(payload(tmp_path))["predictions"].values()) == {4}


@pytest.mark.parametrize("seen", [{0, 4}, {0, 4, 7}])
def test_topics_without_a_label_have_a_column_and_are_never_predicted(
    hooks: ModuleType, tmp_path: Path, seen: set[int]
) -> None:
    labels = hooks.train(payload(tmp_path, labeled=list(range(200))))["labels"]
    labeled = [index for index, topic in labels.items() if topic in seen]
    hooks.train(payload(tmp_path, labeled=labeled))
    rows = np.array(list(hooks.infer(payload(tmp_path, unlabeled=[1, 5, 9]))["outputs"].values()))
    unseen = sorted(set(range(10)) - seen)
    assert rows.shape == (3, 10)
    assert np.isfinite(rows).all()
    assert (rows[:, unseen] < rows[:, sorted(seen)].min() - 50).all()
    assert set(hooks.test(payload(tmp_path))["predictions"].values()) <= seen


def test_infer_gives_the_rows_of_the_indices_that_were_asked_for(
    hooks: ModuleType, tmp_path: Path
) -> None:
    hooks.train(payload(tmp_path, labeled=list(range(60))))
    some = hooks.infer(payload(tmp_path, unlabeled=[300, 100]))["outputs"]
    others = hooks.infer(payload(tmp_path, unlabeled=[100, 200, 300]))["outputs"]
    assert some.keys() == {100, 300}
    np.testing.assert_allclose(some[100], others[100])


def test_labels_beyond_the_topics_are_named(hooks: ModuleType, tmp_path: Path) -> None:
    file = write_texts(tmp_path, [1, 10, 2])
    with pytest.raises(ValueError, match=r"texts\.json: expected labels from 0 to 9, found .*10"):
        hooks.state(payload(tmp_path, file))


def test_the_sample_is_what_its_script_makes(tmp_path: Path) -> None:
    maker = load_module("topic_classification", "make_sample")
    maker.write(maker.make_records(), tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == SAMPLE.read_text()


def test_the_sample_shows_every_topic_and_is_unbalanced() -> None:
    counts = Counter(record["label"] for record in json.loads(SAMPLE.read_text()))
    assert set(counts) == set(range(10))
    assert max(counts.values()) > 10 * min(counts.values())


@pytest.mark.parametrize("file", ["experiment.yaml", "experiment-dailydialog.yaml"])
def test_both_experiments_name_as_many_topics_as_the_hooks_have(
    hooks: ModuleType, file: str
) -> None:
    names = yaml.safe_load((EXAMPLE / file).read_text())["classes"]
    assert len(names) == hooks.TOPICS
    assert names[0] == "Ordinary Life"


def test_the_files_of_dailydialog_become_records(tmp_path: Path) -> None:
    texts, topics = tmp_path / "dialogues_text.txt", tmp_path / "dialogues_topic.txt"
    texts.write_text("Hello . __eou__ Hi , there . __eou__ \nOne ticket . __eou__\n")
    topics.write_text("1\n6\n")
    converter = load_module("topic_classification", "from_dailydialog")
    assert converter.read_records(texts, topics) == [
        {"text": "Hello . __eou__ Hi , there . __eou__", "label": 0},
        {"text": "One ticket . __eou__", "label": 5},
    ]
    topics.write_text("1\n")
    with pytest.raises(SystemExit, match="2 dialogues and 1 topics"):
        converter.read_records(texts, topics)

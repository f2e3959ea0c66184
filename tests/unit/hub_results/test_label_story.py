"""Labels told loop by loop are those that a look at everything for each loop would give."""

import random
from typing import Any

from alectio_agent.hub.experiments.class_labels import count_classes
from alectio_agent.hub.experiments.label_story import LabelStory
from alectio_agent.hub.experiments.labels import StoredLabel, newest_of
from tests.support.benches import make_settings

SETTINGS = make_settings(classes=["cat", "dog"])


def said(position: int, sample: int, value: Any) -> StoredLabel:
    return StoredLabel(position, sample, value, None, None)


def test_new_labels_corrections_and_those_taken_away_are_told() -> None:
    told = [said(1, 4, "cat"), said(2, 5, "dog"), said(3, 4, "dog"), said(4, 5, None),
            said(5, 7, "cat")]  # fmt: skip
    story = LabelStory(SETTINGS, told)
    first = story.go_on([4, 5, 6], 2)
    assert (first.batch, first.counts) == (["cat", "dog", None], [1, 1])
    assert first.changes == [[4, "cat"], [5, "dog"]]
    second = story.go_on([7, 8], 5)
    assert (second.batch, second.counts) == (["cat", None], [1, 1])
    assert second.changes == [[4, "dog"], [5, None], [7, "cat"]]


def test_a_label_of_a_sample_that_is_chosen_later_counts_from_then_on() -> None:
    """Its loop was rewound, and another batch was chosen first."""
    story = LabelStory(SETTINGS, [said(1, 4, "cat"), said(2, 9, "dog")])
    assert story.go_on([4], 2).counts == [1, 0]
    assert story.go_on([9], 2).changes == [[9, "dog"]]


def test_a_loop_that_waits_has_all_that_is_there() -> None:
    story = LabelStory(SETTINGS, [said(1, 4, "cat"), said(2, 5, "dog")])
    assert story.go_on([4, 5], None).batch == ["cat", "dog"]


def test_any_story_is_what_a_look_at_all_labels_gives() -> None:
    rng = random.Random(3)
    labels = ["cat", "dog", None]
    told = [said(at, rng.randrange(60), rng.choice(labels)) for at in range(1, 301)]
    order = rng.sample(range(60), 60)
    batches = [order[at : at + 6] for at in range(0, 60, 6)]
    story, before, chosen = LabelStory(SETTINGS, told), dict[int, Any](), set[int]()
    for loop, batch in enumerate(batches):
        chosen |= set(batch)
        upto = 30 * (loop + 1) if loop < 9 else None
        newest = newest_of(told, upto)
        now = {
            sample: newest[sample].value
            for sample in sorted(chosen)
            if sample in newest and newest[sample].value is not None
        }
        chapter = story.go_on(batch, upto)
        assert chapter.batch == [now.get(sample) for sample in batch]
        assert chapter.counts == count_classes(now, SETTINGS)
        assert chapter.changes == [
            [sample, now.get(sample)]
            for sample in sorted({*before, *now})
            if before.get(sample) != now.get(sample)
        ]
        before = now

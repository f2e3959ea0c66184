"""What a file says differently from the experiment that it is about."""

from dataclasses import dataclass

from alectio_agent.hub.experiments.records import Experiment
from alectio_agent.wire.experiment import ExperimentSettings
from alectio_agent.wire.strict_json import dumps

LONGEST_VALUE = 60


@dataclass(frozen=True)
class Change:
    """One key, with its values as people read them."""

    key: str
    before: str
    now: str


def find_changes(known: Experiment, settings: ExperimentSettings) -> list[Change]:
    """The keys that differ.

    Args:
        known: As it is.
        settings: As a file says.

    Returns:
        In the order of the keys. The size of an extended pool is no change, whether the file says
        the old or the new one.
    """
    before, now = known.settings.model_dump(mode="json"), settings.model_dump(mode="json")
    if known.settings.labels.kind == settings.labels.kind:
        # Who gives the labels stays the same: how long to wait for them may change at any time.
        for keys in (before, now):
            keys |= {f"labels.{key}": value for key, value in keys.pop("labels").items()}
    return [
        Change(key, _shown(before[key]), _shown(now[key]))
        for key in now
        if now[key] != before[key] and not (key == "pool" and now[key] == known.pool_size)
    ]


def _shown(value: object) -> str:
    text = dumps(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 3]}..."

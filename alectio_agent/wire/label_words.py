"""What an import of labels did, in words."""

from alectio_agent.core.units import count
from alectio_agent.wire.labels import LabelsImported


def what_came(done: LabelsImported) -> str:
    """What an import did, in one line.

    Args:
        done: What the hub answered.
    """
    there = "no sample is asked for yet"
    if done.loop is not None:
        there = f"{done.missing:,} of {count(done.asked, 'sample')} of loop {done.loop} are missing"
    return (
        f"{done.new:,} new, {done.corrected:,} corrected, {done.unchanged:,} unchanged, "
        f"{done.excluded:,} excluded; {there}"
    )


def what_now(name: str, done: LabelsImported, blank: int) -> list[str]:
    """What happens after an import, in sentences.

    Args:
        name: Of the experiment.
        done: What the hub answered.
        blank: Rows of the file without a label.
    """
    told = []
    if blank and not done.new + done.corrected + done.unchanged + done.excluded:
        told.append(f"No label is filled in: {count(blank, 'row')} without.")
    if done.unasked:
        rows = count(done.unasked, "row")
        told.append(f"{rows} of samples whose loop was rewound: kept until these are chosen again.")
    told += _effect(name, done)
    if done.started:
        told.append(f"Loop {done.loop} has its labels and runs next.")
    if done.state == "paused":
        told.append(f"It is paused. Go on: alectio-agent experiment resume {name}")
    elif done.waits_for:
        go_on = " Go on: alectio-agent run" if done.waits_for.startswith("an agent") else ""
        told.append(f"It waits for {done.waits_for}.{go_on}")
    return told


def _effect(name: str, done: LabelsImported) -> list[str]:
    """In which loop changes count, where that is not plain."""
    if not done.new + done.corrected + done.excluded or done.loop is None:
        return []
    if done.effective_loop is None:
        return [
            f"Loop {done.loop} has its labels already, and no loop comes after it: what is new "
            "takes effect when there is one. The newest loop again: alectio-agent experiment "
            f"rewind {name}; further loops: alectio-agent experiment extend {name} --loops N"
        ]
    if done.effective_loop > done.loop:
        return [
            f"Loop {done.loop} has its labels already: what is new takes effect in loop "
            f"{done.effective_loop}. Loop {done.loop} again with it: alectio-agent experiment "
            f"rewind {name}"
        ]
    if not done.corrected:
        return []
    return [f"Corrections take effect in loop {done.effective_loop}."]

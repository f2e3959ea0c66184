"""The line below: contact, outbox, what was sent, the disk, warnings."""

from rich.text import Text

from alectio_agent.cli.live.rows import join
from alectio_agent.cli.live.scene import Scene
from alectio_agent.cli.live.words import spent
from alectio_agent.core.units import format_size

BETWEEN = " | "
LITTLE_FREE = 5 * 2**30
"""Below this the free disk is shown in colour."""


def footer_row(scene: Scene, width: int, warnings: int, shown: int) -> Text:
    """One row; what matters least is left out first when it is too long.

    Args:
        scene: What there is.
        width: Columns.
        warnings: How many there are.
        shown: How many of them stand below it.
    """
    told = {
        "contact": _contact(scene),
        "outbox": _outbox(scene),
        "sent": Text(f"{format_size(scene.agent.contact.sent_bytes)} sent"),
        "free": _free(scene),
        "warnings": _warnings(warnings, shown),
    }
    kept = {name: part for name, part in told.items() if part.plain}
    for name in ("sent", "free", "contact"):
        row = join(*kept.values(), between=BETWEEN)
        if row.cell_len <= width:
            return row
        kept.pop(name, None)
    return join(*kept.values(), between=BETWEEN)


def _contact(scene: Scene) -> Text:
    contact = scene.agent.contact
    if contact.silent_s is not None:
        return Text("no contact", "yellow")
    if contact.answered_s is None:
        return Text("no contact yet")
    return Text(f"contact {spent(scene.agent.at_s - contact.answered_s)} ago")


def _outbox(scene: Scene) -> Text:
    unsent = scene.agent.unsent
    if unsent.messages == 0:
        return Text("outbox empty")
    size = f" ({format_size(unsent.size_bytes)})" if unsent.size_bytes else ""
    waits = "result waits" if unsent.messages == 1 else "results wait"
    return Text(f"{unsent.messages} {waits}{size}", "yellow" if unsent.messages > 3 else "")


def _free(scene: Scene) -> Text:
    free = scene.agent.free_bytes
    if free is None:
        return Text()
    told = format_size(free).replace(".0 ", " ")
    return Text(f"{told} free", "red" if free < LITTLE_FREE else "")


def _warnings(count: int, shown: int) -> Text:
    if count == 0:
        return Text()
    newest = "newest" if shown == 1 else f"newest {shown}"
    where = "" if shown == 0 else " below" if shown == count else f", {newest} below"
    return Text(f"{count} warning{'' if count == 1 else 's'}{where}", "yellow")

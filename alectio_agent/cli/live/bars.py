"""Bars of steps that run, and what their hooks say of themselves."""

from rich.text import Text

from alectio_agent.agent.jobs.step_marks import Noted
from alectio_agent.cli.live.glyphs import Glyphs
from alectio_agent.cli.live.rows import plain

MOST_NUMBERS = 4
NEARLY = 0.95
"""A guess never fills its bar: it is full when the step is done."""


def bar(share: float, width: int, glyphs: Glyphs, *, is_guess: bool = False) -> Text:
    """A bar in brackets.

    Args:
        share: What is done, from 0 to 1.
        width: With the brackets.
        glyphs: To draw with.
        is_guess: Earlier loops tell, not the hook.
    """
    room = max(1, width - 2)
    share = min(max(share, 0.0), NEARLY if is_guess else 1.0)
    filled = int(share * room)
    done = Text(
        (glyphs.guessed if is_guess else glyphs.full) * filled, "cyan" if is_guess else "green"
    )
    return Text("[").append_text(done).append(glyphs.empty * (room - filled), "dim").append("]")


def share_done(noted: Noted | None) -> float | None:
    """How much of a step is done, by its own count.

    Args:
        noted: What its hook said last.

    Returns:
        None when it does not tell.
    """
    if noted is None or not noted.progress.total or noted.progress.done is None:
        return None
    return noted.progress.done / noted.progress.total if noted.progress.total > 0 else None


def counted(noted: Noted | None) -> Text:
    """The count and the numbers beside it, such as `13/20  loss 0.214`.

    Args:
        noted: What the hook said last.
    """
    if noted is None:
        return Text()
    said, parts = noted.progress, []
    if said.done is not None:
        total = "" if said.total is None else f"/{said.total:,.6g}"
        parts.append(f"{said.done:,.6g}{total}")
    parts += [f"{name} {value:.4g}" for name, value in list(said.numbers.items())[:MOST_NUMBERS]]
    return plain("  ".join(parts))

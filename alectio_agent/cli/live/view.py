"""The view: a scene and a size become rows of text. Nothing is read or written here."""

from dataclasses import dataclass

from rich.text import Text

from alectio_agent.cli.live.allotment import allot
from alectio_agent.cli.live.blocks import block_rows, short_rows
from alectio_agent.cli.live.curve import LEAST_ROWS, LEAST_WIDTH, MOST_ROWS, curve_rows, has_curve
from alectio_agent.cli.live.footer import footer_row
from alectio_agent.cli.live.heading import end_row, experiment_row, head_row
from alectio_agent.cli.live.loops import MOST_SHOWN, Table
from alectio_agent.cli.live.rows import MEASURE, fit, join, pad, plain, spread
from alectio_agent.cli.live.scene import Scene
from alectio_agent.cli.live.steps import WIDEST, step_rows
from alectio_agent.cli.live.waiting import state_rows, stop_row
from alectio_agent.cli.live.warned import count_shown, rows_wanted, warning_rows, warnings
from alectio_agent.cli.live.words import took

EVERYTHING = 1000
TURNS = (
    ("experiment", 1), ("stop", 1), ("state", 1), ("steps", 1), ("head", 1), ("state", 3),
    ("footer", 1), ("warnings", 1), ("steps", 4), ("ended", 3), ("loops", 4), ("rules", 2),
    ("hook", 2), ("steps", EVERYTHING), ("state", 6), ("loops", 6), ("warnings", 3), ("curve", 5),
    ("blank", 1), ("hook", 4), ("loops", 8), ("curve", 7), ("ended", 6), ("hook", 6),
    ("loops", 14), ("curve", MOST_ROWS), ("hook", 9), ("state", 12), ("warnings", 5),
    ("loops", EVERYTHING),
)  # fmt: skip
"""Who gets rows first; so a small window shows the step that runs and what Ctrl-C does."""
LEAST = {"rules": 2, "hook": 2, "loops": 2, "curve": LEAST_ROWS, "ended": 2}
BESIDE = "   "
HOOK = "from the hook (all of it: alectio-agent logs -f)"


@dataclass(frozen=True)
class _Page:
    """One drawing.

    Attributes:
        width: One column less than the terminal has: a row never reaches the last one, where
            terminals disagree about what comes next.
        table: Of its loops.
        is_wide: The curve stands beside the table.
        warned: All warnings, the newest last.
    """

    scene: Scene
    width: int
    table: Table
    is_wide: bool
    warned: list[Text]


def draw(scene: Scene, columns: int, rows: int) -> list[Text]:
    """Draw the view.

    Args:
        scene: What there is.
        columns: Of the terminal.
        rows: Of the terminal; one of them stays free, for the lines above.

    Returns:
        The rows, none wider than the terminal.
    """
    page = _page(scene, columns)
    sections = _sections(page)
    given = allot(max(1, rows - 1), {name: len(lines) for name, lines in sections.items()},
                  _turns(scene), LEAST)  # fmt: skip
    rule = [Text(scene.glyphs.rule * page.width, "dim")] if "rules" in given else []
    between = [
        *_steps(page, sections["steps"], given.get("steps", 0)),
        *([Text()] if "blank" in given and "loops" in given else []),
        *_middle(page, given),
        *sections["ended"][: given.get("ended", 0)],
        *_hook(page, given.get("hook", 0)),
    ]
    drawn = [
        *sections["head"][: given.get("head", 0)],
        *sections["experiment"][: given.get("experiment", 0)],
        *sections["state"][: given.get("state", 0)],
        *rule,
        *between,
        *(rule if between else []),
        *_footer(page, given),
        *sections["stop"][: given.get("stop", 0)],
    ]
    return [fit(row, page.width, scene.glyphs) for row in drawn]


def _turns(scene: Scene) -> list[tuple[str, int]]:
    """Each job in hand has its row as early as the only one would have."""
    jobs = max(1, len(scene.agent.jobs))
    return [(name, jobs if (name, most) == ("steps", 1) else most) for name, most in TURNS]


def _page(scene: Scene, columns: int) -> _Page:
    width, table = max(1, columns - 1), Table.of(scene)
    room = width - table.width - len(BESIDE)
    is_wide = room >= LEAST_WIDTH and has_curve(scene)
    return _Page(scene, width, table, is_wide, warnings(scene))


def _sections(page: _Page) -> dict[str, list[Text]]:
    """Each section with all the rows it could use."""
    scene, width = page.scene, page.width
    table = min(page.table.loops + 1, MOST_SHOWN) if page.table.loops else 0
    has_curve_below = not page.is_wide and width >= LEAST_WIDTH and has_curve(scene)
    if page.is_wide:
        table = max(table, MOST_ROWS)
    return {
        "head": [head_row(scene, width)],
        "experiment": [experiment_row(scene, width)],
        "state": _folded(state_rows(scene), width),
        "steps": [
            *_with_end(scene, step_rows(scene, width), width),
            *block_rows(scene, width),
        ],
        "loops": [Text()] * table,
        "curve": [Text()] * (MOST_ROWS if has_curve_below else 0),
        "ended": _ended(scene),
        "hook": [Text()] * (len(scene.hook_lines) + 1 if scene.hook_lines else 0),
        "rules": [Text()] * 2,
        "blank": [Text()] * min(table, 1),
        "footer": [Text()],
        "warnings": [Text()] * rows_wanted(page.warned, width),
        "stop": [stop_row(scene, width)],
    }


def _folded(rows: list[Text], width: int) -> list[Text]:
    """What somebody has to do is never cut off."""
    folded: list[Text] = []
    for row in rows:
        pieces = row.wrap(MEASURE, max(10, width - 1))
        folded += [join(" ", piece) for piece in pieces]
    return folded


def _with_end(scene: Scene, steps: list[Text], width: int) -> list[Text]:
    """When the experiment ends stands at the right of the last step, or below it."""
    end = end_row(scene)
    if not end.plain:
        return steps
    if not steps:
        return [join(" ", end)]
    last = spread(steps[-1], end, min(width, WIDEST))
    if last is steps[-1]:
        return [*steps, join(" ", end)]
    return [*steps[:-1], last]


def _steps(page: _Page, steps: list[Text], rows: int) -> list[Text]:
    if rows >= len(steps):
        return steps
    own = steps[: len(steps) - len(block_rows(page.scene, page.width))]
    return short_rows(page.scene, own, page.width)[:rows]


def _middle(page: _Page, given: dict[str, int]) -> list[Text]:
    """The table of loops, and the curve below or beside it."""
    scene, rows = page.scene, given.get("loops", 0)
    if not page.is_wide:
        table = page.table.rows(scene, page.width, rows)
        return [*table, *curve_rows(scene, page.width, given.get("curve", 0))]
    left_width = page.table.width
    table = page.table.rows(scene, left_width, rows)
    curve = curve_rows(scene, page.width - left_width - len(BESIDE), rows)
    height = max(len(table), len(curve))
    left, right = ([*part, *[Text()] * (height - len(part))] for part in (table, curve))
    return [
        join(pad(cell, left_width, is_right=False), BESIDE, beside)
        for cell, beside in zip(left, right, strict=True)
    ]


def _footer(page: _Page, given: dict[str, int]) -> list[Text]:
    """The line below, and the warnings under it."""
    scene, width, most = page.scene, page.width, given.get("warnings", 0)
    row = footer_row(scene, width, len(page.warned), count_shown(page.warned, width, most))
    shown = warning_rows(page.warned, width, most, scene.glyphs)
    return [*([row] if "footer" in given else []), *shown]


def _hook(page: _Page, rows: int) -> list[Text]:
    if rows < LEAST["hook"]:
        return []
    head = Text(f" {HOOK}", "dim")
    lines = page.scene.hook_lines[-(rows - 1) :]
    return [head, *(plain(f"   {line}") for line in lines)]


def _ended(scene: Scene) -> list[Text]:
    """The last jobs, for an agent that shows no experiment."""
    if scene.view is not None or not scene.agent.ended:
        return []
    colours = {"done": "green", "failed": "red"}
    rows = [Text(" last jobs", "dim")]
    for job in reversed(scene.agent.ended):
        again = f" (attempt {job.attempt})" if job.attempt > 1 else ""
        name = plain(f"   {job.job}{again}  ")
        rows.append(join(name, Text(job.ending, colours.get(job.ending, "yellow")),
                         f"  {took(job.took_s)}"))  # fmt: skip
    return rows

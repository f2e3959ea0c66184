"""The marks that `init --from` leaves where it had to guess."""

from pathlib import Path

from alectio_agent.cli.init_files import GAP


def marks_left(file: Path) -> str:
    """A warning while a file still has marks.

    Args:
        file: `agent.yaml` or `experiment.yaml`, which was read before.

    Returns:
        One line that names the lines; empty when there is none.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError):
        return ""  # it was read a moment ago: whoever took it away will hear of it elsewhere
    marked = [str(number) for number, line in enumerate(lines, 1) if f"# {GAP}" in line]
    if not marked:
        return ""
    noun = "line" if len(marked) == 1 else "lines"
    return (
        f"{file.name}: {noun} {', '.join(marked)} still marked {GAP}: guesses of `init --from`. "
        "Set the values, then delete the marks"
    )

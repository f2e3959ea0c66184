"""Files that pages carry: scripts, style, and plotly's JavaScript from its installed package."""

from functools import cache
from importlib.resources import files


@cache
def asset(name: str) -> str:
    """A file of this room.

    Args:
        name: Such as `report.css`.

    Returns:
        Its text.
    """
    return files("alectio_agent.report").joinpath("files", name).read_text(encoding="utf-8")


@cache
def plotly_script() -> str:
    """Plotly's JavaScript, as its package ships it."""
    return files("plotly").joinpath("package_data", "plotly.min.js").read_text(encoding="utf-8")

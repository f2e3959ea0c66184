"""Colours of the style sheet that lines are drawn with."""

import re

import pytest

from alectio_agent.report.assets import asset

SHEET = asset("report.css")
LIGHT, _, DARK = SHEET.partition("prefers-color-scheme: dark")


def luminance(colour: str) -> float:
    """As WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("rules", [LIGHT, DARK], ids=["light", "dark"])
def test_every_line_stands_out_from_the_paper(rules: str) -> None:
    """WCAG 2, 1.4.11: graphics need three to one."""
    named = dict(re.findall(r"--(paper|series-\d): (#[0-9a-f]{6})", rules))
    paper = named.pop("paper")
    assert len(named) == 7
    assert {name for name, colour in named.items() if contrast(colour, paper) < 3} == set()

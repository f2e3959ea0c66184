"""The project's Markdown: pages, their links, headings, code blocks and tables."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_FENCE = re.compile(r"^( *)```.*?^\1```$", re.M | re.S)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def all_pages() -> list[Path]:
    """Every page that people read."""
    found = [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("examples/*/README.md")]
    return sorted([*found, *(ROOT / name / "README.md" for name in ("benchmarks", "configs"))])


def links_of(page: Path) -> list[str]:
    """Where it links to within the project: `other.md#heading`."""
    text = _CODE.sub("", _FENCE.sub("", page.read_text("utf-8")))
    return [to for to in _LINK.findall(text) if "://" not in to and not to.startswith("mailto:")]


def anchors_of(page: Path) -> set[str]:
    """What the headings of a page are called in links."""
    return {_anchor(title) for _, title, _ in sections_of(page)}


def sections_of(page: Path) -> list[tuple[int, str, str]]:
    """Level and words of each heading, and what stands between it and the next one."""
    kept = _FENCE.sub("(code)", page.read_text("utf-8"))  # a comment in it is no heading
    _, *parts = re.split(r"^(#+) +(.*)$", kept, flags=re.M)
    found = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    return [(len(marks), title, text.strip()) for marks, title, text in found]


def commands_of(page: Path) -> list[str]:
    """Lines of its indented code blocks, with their comments."""
    return re.findall(r"^    (\S.*)$", _FENCE.sub("", page.read_text("utf-8")), re.M)


def blocks_of(page: Path, language: str) -> list[str]:
    """Its fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S)


def rows_of(page: Path, head: str) -> list[list[str]]:
    """Cells of the table whose first column is called so, backticks taken off the first."""
    found = re.search(rf"^\| {head} \|.*\n\| ---.*\n((?:\|.*\n)+)", page.read_text("utf-8"), re.M)
    assert found is not None, f"{page.name} has no table of {head}"
    rows = [line.strip().strip("|").split("|") for line in found[1].splitlines()]
    return [[row[0].strip().strip("`"), *(cell.strip() for cell in row[1:])] for row in rows]


def _anchor(title: str) -> str:
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)
    return re.sub(r"[^\w\- ]", "", words.strip().lower()).replace(" ", "-")

"""What the codes of messages mean, from `errors.md` beside this file: read offline."""

import re
from dataclasses import dataclass
from importlib.resources import files

FILE = "errors.md"
_HEADING = re.compile(r"^## (?P<code>E-[A-Z]+-\d\d)  (?P<title>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Explanation:
    """One code.

    Attributes:
        title: What is wrong, in a few words.
        text: Why it happens and what to do; a paragraph of Markdown.
    """

    code: str
    title: str
    text: str


def explanations() -> dict[str, Explanation]:
    """All codes, in the order of the file, which is that of the alphabet."""
    text = explained()
    headings = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    return {
        heading["code"]: Explanation(
            heading["code"], heading["title"], text[heading.end() : end].strip()
        )
        for heading, end in zip(headings, ends, strict=True)
    }


def explained() -> str:
    """The whole file."""
    return files("alectio_agent.core").joinpath(FILE).read_text(encoding="utf-8")

"""What the codes of messages mean, from `errors.md` beside this file: read offline."""

import re
from dataclasses import dataclass
from importlib.resources import files

FILE = "errors.md"
FAMILIES = {
    "AUTH": "Tokens",
    "CONF": "Configuration",
    "CTL": "Steering a running agent",
    "DISK": "Files and folders",
    "EXP": "Experiments",
    "HOOK": "Your hooks",
    "HUB": "Hubs",
    "INIT": "Starting a project",
    "INT": "Defects of alectio-agent",
    "NET": "The network",
    "OUT": "Results carried by hand",
    "TLS": "Certificates",
    "RUN": "A running agent",
    "SVC": "The service of systemd",
    "TRY": "Trying hooks",
    "USE": "The command line",
}
"""What the middle part of a code stands for."""
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

    @property
    def family(self) -> str:
        """What the code is about, such as `Your hooks`."""
        return FAMILIES[self.code.split("-")[1]]


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

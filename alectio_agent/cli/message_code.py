"""Codes of messages on the command line."""

import click
from click.shell_completion import CompletionItem

from alectio_agent.core.codes import explanations
from alectio_agent.core.errors import UsageError

LIST = "All codes: alectio-agent explain"


class MessageCode(click.ParamType[str]):
    """A code such as `E-CONF-02`, also written `e-conf-02`, `conf02` or `E CONF 02`."""

    name = "code"

    def convert(
        self,
        value: str,
        param: click.Parameter | None,  # noqa: ARG002 - click's signature
        ctx: click.Context | None,  # noqa: ARG002 - click's signature
    ) -> str:
        """Find the code that is meant."""
        known = {_letters(code): code for code in explanations()}
        typed = _letters(value)
        for meant in (typed, f"E{typed}"):
            if meant in known:
                return known[meant]
        raise UsageError(f"no message has the code {value!r}.{_nearest(typed, known)}", hint=LIST)

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        param: click.Parameter,  # noqa: ARG002 - click's signature
        incomplete: str,
    ) -> list[CompletionItem]:
        """The codes that begin like this, each with its title."""
        return [
            CompletionItem(each.code, help=each.title)
            for each in explanations().values()
            if each.code.startswith(incomplete.upper())
        ]


def _letters(code: str) -> str:
    return "".join(letter for letter in code.upper() if letter.isalnum())


def _nearest(typed: str, known: dict[str, str]) -> str:
    from difflib import get_close_matches

    found = get_close_matches(typed, known, n=1) or get_close_matches(f"E{typed}", known, n=1)
    return f" Did you mean {known[found[0]]}?" if found else ""

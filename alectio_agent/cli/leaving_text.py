"""The list of what can leave, for people."""

import textwrap
from itertools import groupby

from alectio_agent.cli.leaving import LeavingField
from alectio_agent.cli.leaving_words import CALLS, TYPED

HEAD = """All that can leave this site, call by call; nothing else does. Polls and beats
are counted, every other call of the agent has a row in the record of what left.
"""
TYPED_HEAD = """What follows leaves only when a person types a command, with the token that this
person names (check, enroll: the agent's). It is not in the agent's record.
Other commands that ask a hub send names of experiments, and no body.
"""
HANG = "      "


def explain_text(found: list[LeavingField], width: int) -> str:
    """The whole list.

    Args:
        found: In the order of calls.
        width: Columns.
    """
    lines = [HEAD]
    by_call = {call: list(fields) for call, fields in groupby(found, lambda field: field.call)}
    for call, words in CALLS.items():
        if call == TYPED[0]:
            lines.append(TYPED_HEAD)
        lines.append(f"{call}: {words}")
        for field in by_call.get(call, []):
            lines.append(_folded(f"  {field.field}: {field.holds}", width))
            lines += [_folded(f"    {line}", width) for line in _rules(field)]
        lines.append("")
    return "\n".join(lines)


def _rules(field: LeavingField) -> list[str]:
    """Whether it leaves now, where a key decides that."""
    if field.key is None:
        return []
    words = set(field.leaves.values())
    if len(words) == 1:
        return [f"{_word(words.pop())}  (share.{field.key})"]
    return [f"{name}: {_word(word)}  (share.{field.key})" for name, word in field.leaves.items()]


def _word(word: str) -> str:
    return {"yes": "LEAVES", "no": "stays"}.get(word, f"stays; instead {word}")


def _folded(text: str, width: int) -> str:
    return textwrap.fill(text, width, subsequent_indent=HANG, break_on_hyphens=False)

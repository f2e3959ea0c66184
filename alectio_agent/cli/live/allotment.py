"""Shares out the rows of a terminal: what matters first gets its rows first."""

from collections.abc import Iterable, Mapping


def allot(
    rows: int,
    wishes: Mapping[str, int],
    turns: Iterable[tuple[str, int]],
    least: Mapping[str, int],
) -> dict[str, int]:
    """Give each section its rows.

    Args:
        rows: Of all sections together.
        wishes: How many rows each could use.
        turns: Who may now have how many in all; a section comes several times, with more each time.
        least: A section that needs so many gets fewer never.

    Returns:
        Rows of each section that got some.
    """
    given = dict.fromkeys(wishes, 0)
    left = rows
    for name, most in turns:
        wanted = min(most, wishes.get(name, 0))
        now = min(wanted, given.get(name, 0) + left)
        if now < least.get(name, 1) or now <= given.get(name, 0):
            continue
        left -= now - given[name]
        given[name] = now
    return {name: count for name, count in given.items() if count}

"""Times as people say them, no more exact than they are known."""

from datetime import datetime

from alectio_agent.core.units import format_duration


def roughly(seconds: float) -> str:
    """A time that is only known roughly, in one unit.

    Args:
        seconds: Zero or more.

    Returns:
        `12 s`, `6 min`, `3 h 10 min`, `2 d 4 h`.
    """
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    if seconds < 3600:
        return f"{round(seconds / 60)} min"
    return format_duration(seconds)


def spent(seconds: float) -> str:
    """A time that passed, in whole seconds.

    Args:
        seconds: Zero or more.
    """
    return f"{int(seconds)} s" if seconds < 60 else format_duration(seconds)


def took(seconds: float) -> str:
    """A time in a column of a table.

    Args:
        seconds: Zero or more.

    Returns:
        `0.42 s`, `14 s`, `3:10` or `1:02:03`.
    """
    if seconds < 59.5:
        return format_duration(seconds)
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def moment(then: datetime, now: datetime) -> str:
    """A time of day, with its day when that is not today.

    Args:
        then: Local.
        now: Local.

    Returns:
        `16:40`, `Fri 16:40` or `24 Dec 16:40`.
    """
    days = (then.date() - now.date()).days
    form = "%H:%M" if days == 0 else "%a %H:%M" if 0 < days < 7 else "%d %b %H:%M"
    return then.strftime(form)

"""Durations on the command line."""

import click

from alectio_agent.core.units import parse_duration


class Duration(click.ParamType[float]):
    """Seconds above zero, from `90s`, `1h 30m` or `30d`."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read a duration."""
        try:
            seconds = parse_duration(str(value))
        except ValueError as error:
            self.fail(f"found {value!r}, {error}", param, ctx)
        if seconds <= 0:
            self.fail(f"found {value!r}, expected more than zero", param, ctx)
        return seconds

"""`check`, also called `doctor`: everything that can be known without a job."""

import click

from alectio_agent.cli.duration import Duration
from alectio_agent.cli.options import Common, common_options
from alectio_agent.wire.protocol import MAX_POLL_WAIT_S, POLL_WAIT_S


@click.command
@click.option("--offline", "is_offline", is_flag=True, help="Do not call the platform.")
@click.option(
    "--hold",
    "hold_s",
    type=Duration(),
    default=f"{POLL_WAIT_S}s",
    show_default=True,
    help=f"How long to have a poll held, at most {MAX_POLL_WAIT_S}s.",
)
@click.option(
    "--here",
    "is_here",
    is_flag=True,
    help="Look at pipelines as this user, not inside the sandbox of an installed service.",
)
@common_options
def check(*, is_offline: bool, hold_s: float, is_here: bool, common: Common) -> None:
    """Look at everything that a job will need, and say what is wrong and the mend.

    Configuration, interpreters, hooks, GPUs, folders, disk; and the way to the platform: DNS,
    proxy, TLS, clock, token, a part that goes out, a poll that is held. A running agent is not
    disturbed.
    """  # fmt: skip
    from alectio_agent.cli.checkup import Wish, check_all

    wish = Wish(is_offline, is_here, min(hold_s, MAX_POLL_WAIT_S))
    raise SystemExit(check_all(common, wish))

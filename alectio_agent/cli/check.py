"""`check`, also called `doctor`: everything that can be known without a job."""

import click

from alectio_agent.cli.options import Common, common_options


@click.command
@click.option("--offline", "is_offline", is_flag=True, help="Do not call the platform.")
@common_options
def check(*, is_offline: bool, common: Common) -> None:
    """Look at everything that a job will need, and say what is wrong and the mend.

    Configuration, interpreters, hooks, folders, token, disk; and whether the platform answers and
    takes the token. A running agent is not disturbed.
    """
    from alectio_agent.cli.checkup import check_all

    raise SystemExit(check_all(common, is_offline=is_offline))

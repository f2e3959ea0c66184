"""`audit`: what left the site, and what may leave it."""

import click

from alectio_agent.cli.duration import Duration
from alectio_agent.cli.options import Common, common_options


@click.command
@click.option("--since", type=Duration(), metavar="TIME", help="Only the last TIME, such as 2d.")
@click.option("--job", metavar="JOB", help="Only this job (digits/3), or experiment (digits).")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, with every column.")
@click.option("--verify", is_flag=True, help="Check that no row was changed or removed.")
@click.option("--explain", is_flag=True, help="Print the list of all that can leave.")
@common_options
def audit(
    *,
    since: float | None,
    job: str | None,
    as_csv: bool,
    verify: bool,
    explain: bool,
    common: Common,
) -> None:
    """Print what the agent sent, to where, when; also while it does not run.

    Every call is written down before it leaves, with the digest of its body and the names of its
    fields, never their values; polls and beats are counted by the hour. With --verify the exit code
    is 3 when the record is not what was written, and the first such row is named. --explain needs
    no record: it prints everything that can leave under this configuration, and which key of
    `share` governs it.
    """
    from alectio_agent.cli.audit_run import Asked, run_audit

    raise SystemExit(run_audit(common, Asked(since, job or "", as_csv, verify, explain)))

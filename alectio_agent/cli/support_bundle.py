"""`support-bundle`."""

from pathlib import Path

import click

from alectio_agent.cli.options import Common, common_options


@click.command("support-bundle")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--yes", is_flag=True, help="Write it without asking.")
@click.option(
    "--job-logs", is_flag=True, help="With the last that hooks printed, which may quote data."
)
@common_options
def support_bundle(*, file: Path | None, yes: bool, job_logs: bool, common: Common) -> None:
    """Collect what helps others to help you in one file, tar.gz, and show it before it is written.

    Versions, the configuration in force, what `check --offline` finds, the agent's own log, state,
    jobs, unit, disk, names of variables. Never samples, results or labels. The token, passwords,
    keys and values of env_file are masked wherever they stand. Nothing is sent.
    """
    from alectio_agent.cli.bundling import bundle

    bundle(common, file, may_write=yes, has_job_logs=job_logs)

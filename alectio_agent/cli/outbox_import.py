"""`outbox import`."""

from pathlib import Path

import click

from alectio_agent.cli.options import Common, common_options


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "--receipt",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the receipt is written; without: FILE with .receipt behind it.",
)
@click.option("--hub", metavar="URL", help="The platform, instead of that of agent.yaml.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    help="With --hub: file with a token of scope agent.",
)
@common_options
def import_file(
    *, file: Path, receipt: Path | None, hub: str | None, token_file: Path | None, common: Common
) -> None:
    """Deliver the results in FILE, or take note of a receipt that FILE is.

    Where the platform is reached: sends what `outbox export` wrote, with this machine's token, and
    writes a receipt. On the agent's machine: notes what the receipt says was delivered, so that
    the agent does not send it again. Both may be done again: nothing counts twice.
    """
    from alectio_agent.agent.journal.importing import is_receipt

    if is_receipt(file):
        from alectio_agent.cli.receipt_taking import take_receipt

        take_receipt(common, file)
        return
    from alectio_agent.cli.carried_delivery import deliver_file

    target = receipt if receipt is not None else file.with_name(f"{file.name}.receipt")
    deliver_file(common, file, target, hub, token_file)

"""`hub serve`."""

from pathlib import Path

import click

from alectio_agent.cli.options import Common, common_options

SHOWN_ONCE_TEXT = (
    "Operator token (it is not shown again; keep it in a file that only you can read):"
)
INSECURE_TEXT = (
    "warning: {host} is no loopback address, and this server speaks plain HTTP: tokens and results "
    "would travel in the open. Put a proxy that ends TLS in front of it."
)


@click.command
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("alectio-hub"),
    show_default=True,
    help="Folder of the hub; made when it is missing.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8642,
    show_default=True,
    help="0: any free one.",
)
@common_options
def serve(*, data: Path, host: str, port: int, common: Common) -> None:
    """Serve a hub until it is stopped. Prints an operator token at its first start."""
    from alectio_agent.core.log import configure
    from alectio_agent.hub.server.process import serve as serve_hub
    from alectio_agent.hub.server.settings import Ready, ServerSettings

    def say(ready: Ready) -> None:
        if not ready.is_loopback:
            click.echo(INSECURE_TEXT.format(host=host), err=True)
        click.echo(f"hub: {ready.url}, data in {folder}")
        click.echo(f"dashboard: {ready.url}/ (sign in with an operator or viewer token)")

    def show_token(token: str) -> None:
        click.echo(f"{SHOWN_ONCE_TEXT}\n{token}")

    folder = data.absolute()
    configure(common.level("info"), tracebacks=common.is_debug)
    serve_hub(ServerSettings(folder, folder / "results", host, port), say, show_token)

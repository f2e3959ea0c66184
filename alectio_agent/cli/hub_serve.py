"""`hub serve`."""

import os
from pathlib import Path

import click

from alectio_agent.cli.options import Common, common_options

SHOWN_ONCE_TEXT = "Operator token (not shown again; keep it in a file that only you can read):"
INSECURE_TEXT = (
    "warning: {host} is no loopback address, and this server speaks plain HTTP: tokens and results "
    "would travel in the open. Give it --certfile and --keyfile, or put a proxy that ends TLS in "
    "front of it."
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
@click.option(
    "--certfile",
    type=click.Path(path_type=Path),
    help="Certificate for TLS, PEM; those between it and its CA may follow.",
)
@click.option(
    "--keyfile",
    type=click.Path(path_type=Path),
    help="Its private key, PEM, not encrypted; without this in --certfile.",
)
@common_options
def serve(
    *,
    data: Path,
    host: str,
    port: int,
    certfile: Path | None,
    keyfile: Path | None,
    common: Common,
) -> None:
    """Serve a hub until it is stopped. Prints an operator token at its first start.

    With --certfile it speaks TLS (1.2 or newer), and nothing else. A renewed certificate is read at
    the next start.
    """
    from alectio_agent.core.errors import UsageError
    from alectio_agent.core.hub_packages import need_hub_packages
    from alectio_agent.core.log import configure
    from alectio_agent.core.notify_socket import READY, STOPPING, NotifySocket, status
    from alectio_agent.core.service_unit import own_unit

    need_hub_packages()
    from alectio_agent.hub.server.process import serve as serve_hub
    from alectio_agent.hub.server.settings import Ready, ServerSettings

    def say(ready: Ready) -> None:
        if not ready.is_loopback and certfile is None:
            click.echo(INSECURE_TEXT.format(host=host), err=True)
        click.echo(f"hub: {ready.url}, data in {folder}")
        if ready.server_name:
            click.echo(f"certificate: for {ready.server_name}; agents reach the hub by that name")
        click.echo(f"dashboard: {ready.url}/ (sign in with an operator or viewer token)")
        socket.tell(READY, status(f"serving at {ready.url}"))

    def show_token(token: str) -> None:
        click.echo(f"{SHOWN_ONCE_TEXT}\n{token}")

    if keyfile is not None and certfile is None:
        raise UsageError("--keyfile is nothing without --certfile", code="E-TLS-07")
    folder = data.absolute()
    configure(common.level("info"), tracebacks=common.is_debug, form="auto")
    settings = ServerSettings(
        folder, folder / "results", host, port, certfile=certfile, keyfile=keyfile
    )
    # What a unit prints stands in the journal, which more people read than may be operators.
    on_first_token = None if own_unit(os.environ) else show_token
    socket = NotifySocket.of(os.environ)
    serve_hub(settings, say, on_first_token, on_stopping=lambda: socket.tell(STOPPING))

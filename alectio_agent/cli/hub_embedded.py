"""`hub embedded`: the hub in the box, started by `run` over pipes and a socket."""

from pathlib import Path

import click


@click.command(hidden=True)
@click.option("--data", type=click.Path(path_type=Path), required=True)
@click.option("--results", type=click.Path(path_type=Path), required=True)
@click.option("--socket-fd", type=int, required=True)
@click.option("--pipe-fd", type=int, required=True)
@click.option("--ready-fd", type=int, required=True)
@click.option("--log-format", default="text")
def embedded(
    *, data: Path, results: Path, socket_fd: int, pipe_fd: int, ready_fd: int, log_format: str
) -> None:
    """Serve on the socket of a parent until its pipe ends."""
    from alectio_agent.core.hub_packages import need_hub_packages
    from alectio_agent.core.log import configure

    need_hub_packages()
    from alectio_agent.hub.server.process import serve
    from alectio_agent.hub.server.settings import LOCK_WAIT_S, ServerSettings

    # Its stderr is the agent's: it speaks only when something is wrong.
    configure("warning", form=log_format)
    serve(
        ServerSettings(
            data.absolute(),
            results.absolute(),
            socket_fd=socket_fd,
            pipe_fd=pipe_fd,
            ready_fd=ready_fd,
            lock_wait_s=LOCK_WAIT_S,
        )
    )

"""What a hub process is told when it starts."""

from dataclasses import dataclass
from pathlib import Path

DATABASE = "hub.db"
LOCK_WAIT_S = 10.0
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8642


@dataclass(frozen=True)
class ServerSettings:
    """A hub process.

    Attributes:
        data: Folder of the database, parts, lock; made when it is missing.
        results: Folder for results files.
        host: Address to listen at, unless there is a socket.
        port: 0 takes any free one.
        socket_fd: Descriptor of a listening socket that the parent owns.
        pipe_fd: Descriptor of a pipe: first a line with tokens, then silence until the parent ends.
        ready_fd: Descriptor of a pipe that hears when the hub serves.
        certfile: Certificate for TLS; None speaks plain HTTP.
        keyfile: Its private key; None when it stands in `certfile`.
        lock_wait_s: How long another hub may take to leave the folder.
    """

    data: Path
    results: Path
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    socket_fd: int | None = None
    pipe_fd: int | None = None
    ready_fd: int | None = None
    certfile: Path | None = None
    keyfile: Path | None = None
    lock_wait_s: float = 0.0

    @property
    def is_box(self) -> bool:
        """Whether a `run` owns this hub: its pages are that person's, without a token."""
        return self.pipe_fd is not None


@dataclass(frozen=True)
class Ready:
    """What a hub says when it serves.

    Attributes:
        url: Where it answers on this machine; with TLS agents use a name of the certificate.
        is_loopback: Whether only this machine can reach it.
        server_name: Of its certificate, by which agents reach it; empty without TLS.
    """

    url: str
    platform_id: str
    is_loopback: bool
    server_name: str = ""

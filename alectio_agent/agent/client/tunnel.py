"""Asks a proxy for a line to a platform, and keeps all that it answers."""

import http.client
import socket
from dataclasses import dataclass

from alectio_agent.agent.client.exchange import read_headers
from alectio_agent.core.log import printable

LONGEST_STATUS = 8192


@dataclass(frozen=True)
class TunnelAnswer:
    """What a proxy said.

    Attributes:
        status: Such as 200.
        phrase: Behind the status.
        offered: Ways to sign in that it names, such as `Basic`.
        is_page: It says 200 and then shows something, which no tunnel does.
    """

    status: int
    phrase: str
    offered: tuple[str, ...]
    is_page: bool


def ask_for_tunnel(plain: socket.socket, place: str, authorization: str) -> TunnelAnswer:
    """Send CONNECT, read the head of the answer.

    Args:
        plain: Connected to the proxy.
        place: Host and port of the platform.
        authorization: Shown to the proxy; empty for nothing.

    Raises:
        OSError: No answer, or none in HTTP.
    """
    shown = f"Proxy-Authorization: {authorization}\r\n" if authorization else ""
    plain.sendall(f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n{shown}\r\n".encode("latin-1"))
    # Unbuffered: what follows belongs to TLS.
    with plain.makefile("rb", buffering=0) as stream:
        line = stream.readline(LONGEST_STATUS).decode("latin-1")
        words = line.split(None, 2)
        if not line.startswith("HTTP/") or len(words) < 2 or not words[1].isdigit():
            found = printable(line.strip(), 60) or "nothing"
            raise OSError(f"it answers CONNECT with {found}; expected HTTP")
        try:
            headers = read_headers(stream)  # type: ignore[arg-type] # it reads lines only
        except http.client.HTTPException as error:
            raise OSError(f"its answer to CONNECT cannot be read ({error})") from error
    offered = [each.split(None, 1)[0] for each in headers.get_all("Proxy-Authenticate", []) if each]
    has_body = headers.get("Content-Length", "0").strip() != "0" or "Content-Type" in headers
    phrase = words[2].strip() if len(words) > 2 else ""
    return TunnelAnswer(
        int(words[1]), phrase, tuple(printable(way, 20) for way in offered), has_body
    )

"""A service that may bind nothing (SocketBindDeny=any) still reaches its platform."""

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

ANSWER = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
ASKING = """
import sys
from alectio_agent.agent.client.transport import HttpTransport, Request
from alectio_agent.core.clock import SystemClock
url = sys.argv[1]
print(HttpTransport(url, {}, SystemClock()).send(Request("GET", "/v1")).status)
"""
DENIED = ["strace", "-f", "-qq", "-e", "trace=bind", "-e", "inject=bind:error=EPERM"]
"""What the kernel answers under SocketBindDeny=any."""


@pytest.fixture
def six() -> Iterator[int]:
    """The port of somebody who answers at [::1], once."""
    try:
        listening = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    thread = threading.Thread(target=_answer, args=(listening,))
    thread.start()
    yield listening.getsockname()[1]
    listening.shutdown(socket.SHUT_RDWR)
    thread.join(10)
    listening.close()


def _answer(listening: socket.socket) -> None:
    while True:
        try:
            line, _ = listening.accept()
        except OSError:
            return
        with line:
            line.recv(65536)
            line.sendall(ANSWER)


def test_a_platform_with_an_ipv6_address_alone_is_reached_without_the_right_to_bind(
    six: int,
) -> None:
    """urllib3 takes IPv6 for missing where its try to bind a socket is refused."""
    if shutil.which("strace") is None:
        if os.environ.get("CI"):
            pytest.fail("strace is not installed")
        pytest.skip("strace is not installed")
    asked = subprocess.run(
        [*DENIED, sys.executable, "-c", ASKING, f"http://[::1]:{six}"],
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert "(INJECTED)" in asked.stderr, "it did try, and was refused"
    assert asked.stdout == "204\n", asked.stderr

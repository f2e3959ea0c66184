"""Real hub processes, as people and as `run` start them, and plain HTTP calls to them."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import requests

START_S = 30
END_S = 60
SERVE = ("-m", "alectio_agent", "hub", "serve")
EMBEDDED = ("-m", "alectio_agent", "hub", "embedded")
AGENT, OPERATOR = "token-of-the-agent", "token-of-the-operator"


class Hub:
    """One hub process; calls carry the tokens of its parent."""

    def __init__(self, process: "subprocess.Popen[str]", url: str) -> None:
        self.process = process
        self.url = url
        self.agent_token, self.operator_token = AGENT, OPERATOR
        self.platform_id = ""
        self._life_line = -1

    @classmethod
    def embedded(
        cls, data: Path, listening: socket.socket, program: Iterable[object] = EMBEDDED
    ) -> Self:
        """As `run` starts it: on its socket, with its tokens, until its pipe ends."""
        pipe_read, life_line = os.pipe()
        ready_read, ready_write = os.pipe()
        process = _start(
            [*program, "--data", data, "--results", data.parent / "results"],
            {"--socket-fd": listening.fileno(), "--pipe-fd": pipe_read, "--ready-fd": ready_write},
        )
        os.close(pipe_read)
        os.close(ready_write)
        tokens = {"agent_token": AGENT, "operator_token": OPERATOR}
        os.write(life_line, json.dumps(tokens).encode() + b"\n")
        ready = _read_line(ready_read)
        os.close(ready_read)
        said = json.loads(ready) if ready else {}
        hub = cls(process, said.get("url", ""))
        hub.platform_id = said.get("platform_id", "")
        hub._life_line = life_line
        return hub

    @classmethod
    def served(cls, data: Path, *more: object) -> Self:
        """As people start it; the operator's token is read from what it prints."""
        process = _start([*SERVE, "--data", data, "--port", 0, *more], {})
        assert process.stdout is not None
        printed = ""
        while not (found := re.search(r"^hub: (http://\S+),", printed, re.MULTILINE)):
            line = process.stdout.readline()
            if not line:
                raise AssertionError(f"the hub ended: {printed}{process.communicate()[1]}")
            printed += line
        hub = cls(process, found[1])
        hub.printed = printed
        if token := re.search(r"^alt_\S+$", printed, re.MULTILINE):
            hub.operator_token = token[0]
        return hub

    printed = ""

    def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str
    ) -> requests.Response:
        """One call on a connection of its own, as the agent unless a token says otherwise."""
        named = {
            "Authorization": f"Bearer {token or self.agent_token}",
            "Alectio-Protocol": "1",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        return requests.request(method, self.url + path, data=data, headers=named, timeout=60)

    def operate(self, method: str, path: str, body: Any = None) -> requests.Response:
        """One call as the operator."""
        return self.call(method, path, body, token=self.operator_token)

    def new_token(self, name: str) -> str:
        """A token for an agent, without the second that the command would take to start."""
        made = self.operate("POST", "/v1/tokens", {"name": name, "scope": "agent"})
        assert made.status_code == 200, made.text
        token: str = made.json()["token"]
        return token

    def let_go(self) -> None:
        """End the pipe, as a parent that dies does."""
        if self._life_line >= 0:
            os.close(self._life_line)
            self._life_line = -1

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal and wait: exit code, and what was said on stderr."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> tuple[int, str]:
        """Wait for the end: exit code, and what was said on stderr."""
        try:
            _, told = self.process.communicate(timeout=END_S)
        finally:
            self.let_go()
        return self.process.returncode, told

    def kill(self) -> None:
        """End it as a power cut does."""
        if self.process.poll() is None:
            self.process.kill()
        self.wait()


def listening_socket() -> socket.socket:
    """A listening socket on a free port of loopback."""
    bound = socket.create_server(("127.0.0.1", 0), backlog=100)
    bound.set_inheritable(True)
    return bound


def _start(words: Iterable[object], descriptors: dict[str, int]) -> "subprocess.Popen[str]":
    options = [str(word) for flag, number in descriptors.items() for word in (flag, number)]
    return subprocess.Popen(
        [sys.executable, *map(str, words), *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        pass_fds=tuple(descriptors.values()),
        start_new_session=True,
    )


def _read_line(descriptor: int) -> bytes:
    readable, _, _ = select.select([descriptor], [], [], START_S)
    assert readable, f"the hub did not serve within {START_S} s"
    return os.read(descriptor, 65536)

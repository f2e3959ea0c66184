"""What a tree of processes asked the kernel about the network, as strace tells it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TRACED = "socket,bind,listen,connect,sendto,sendmsg,sendmmsg"
_LINE = re.compile(r"\d+\s+(\w+)\((?:\d+<([A-Za-z0-9-]+)(?::\[([^\]]*)\])?>)?(.*)")
_PORT = re.compile(r"sin6?_port=htons\((\d+)\)")
_ADDRESS = re.compile(r"inet_(?:addr\(|pton\(AF_INET6, )\"([^\"]+)\"")
_PATH = re.compile(r'sun_path=@?"([^"]*)"')


@dataclass(frozen=True)
class Call:
    """One call.

    Attributes:
        name: Such as `connect`.
        kind: Of the socket: `TCP`, `UDPv6`, `UNIX-STREAM`; empty for `socket` itself.
        state: What strace knows of the socket, such as `127.0.0.1:8642`.
        to: Address and port, or the path of a Unix socket; empty where the call names none.
    """

    name: str
    kind: str
    state: str
    to: str

    @property
    def is_internet(self) -> bool:
        return self.kind.startswith(("TCP", "UDP", "RAW", "ICMP"))


def strace(output: Path) -> list[str]:
    """The words before a command that have it traced, with all that it starts."""
    # -s 0: not what was said, only to whom.
    return ["strace", "-f", "--seccomp-bpf", "-yy", "-s", "0", "-e", f"trace={TRACED}",
            "-e", "signal=none", "-o", str(output)]  # fmt: skip


def read_trace(output: Path) -> list[Call]:
    """All calls of a trace, in order."""
    return [call for line in output.read_text().splitlines() if (call := _read(line))]


def listeners(calls: Iterable[Call]) -> set[str]:
    """Addresses at which a TCP socket was told to listen."""
    return {call.state for call in calls if call.name == "listen" and call.is_internet}


def bound(calls: Iterable[Call]) -> set[str]:
    """Addresses that an internet socket was bound to."""
    return {call.to for call in calls if call.name == "bind" and call.is_internet}


def reached(calls: Iterable[Call]) -> set[str]:
    """Whom an internet socket was to reach, whether it did or not."""
    named = ("connect", "sendto", "sendmsg", "sendmmsg")
    return {call.to for call in calls if call.name in named and call.is_internet and call.to}


def _read(line: str) -> Call | None:
    found = _LINE.match(line)
    if found is None or found[1] not in TRACED.split(","):
        return None  # an end, a signal, the second half of a call
    name, kind, state, words = found.groups()
    port, address, path = (what.search(words) for what in (_PORT, _ADDRESS, _PATH))
    to = f"{address[1]}:{port[1]}" if address and port else path[1] if path else ""
    return Call(name, kind or "", state or "", to)

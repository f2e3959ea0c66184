"""Two machines in network namespaces: a site behind the rules of docs/firewall.md, and the rest."""

import ctypes
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import pytest

Made = TypeVar("Made")
PAGE = Path(__file__).parents[2] / "docs" / "firewall.md"
PLATFORM, PROXY, SITE, RESOLVER = "192.0.2.10", "192.0.2.20", "192.0.2.2", "192.0.2.53"
TOOLS = ("ip", "nft", "strace")
CLONE_NEWNET = 0x40000000


def need_walls() -> None:
    """Skip the test where there is no root or a tool is missing; fail in CI."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if os.geteuid() == 0 and not missing:
        return
    reason = f"not installed: {', '.join(missing)}" if missing else "namespaces need root"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def read_rules(name: str) -> str:
    """The rules that docs/firewall.md shows under a name, as they stand there."""
    (found,) = re.findall(rf"^```nft {name}\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    return str(found)


@dataclass(frozen=True)
class Walls:
    """Names of the two namespaces.

    Attributes:
        site: Where the agent is: address `SITE`, a default route, a name server that is far.
        far: Where everybody else is: `PLATFORM`, `PROXY` and `RESOLVER`.
    """

    site: str
    far: str

    def load(self, rules: str) -> None:
        """Put the site behind rules of nftables, in the place of those before; counters at 0."""
        command = ["ip", "netns", "exec", self.site, "nft", "-f", "-"]
        subprocess.run(command, input=f"flush ruleset\n{rules}", text=True, check=True)

    def packets(self) -> dict[str, int]:
        """What each counter of the rules has counted."""
        listed = _output("ip", "netns", "exec", self.site, "nft", "-j", "list", "counters")
        found = [entry["counter"] for entry in json.loads(listed)["nftables"] if "counter" in entry]
        return {counter["name"]: counter["packets"] for counter in found}

    def outside(self, call: Callable[[], Made]) -> Made:
        """Call something far from the site.

        Sockets that it opens, and threads and processes that it starts, belong there.
        """
        return _inside(self.far, call)


@contextmanager
def walled() -> Iterator[Walls]:
    """Both machines, with a wire between them, for the length of a block."""
    need_walls()
    mark = uuid4().hex[:8]
    walls = Walls(f"alectio-{mark}-site", f"alectio-{mark}-far")
    settings = Path("/etc/netns", walls.site)
    try:
        _build(walls)
        # What `ip netns exec` mounts over /etc/resolv.conf: a resolver of this machine would
        # answer on loopback, where nothing is counted.
        settings.mkdir(parents=True)
        (settings / "resolv.conf").write_text(f"nameserver {RESOLVER}\n")
        yield walls
    finally:
        for name in (walls.site, walls.far):
            subprocess.run(["ip", "netns", "del", name], capture_output=True)
        shutil.rmtree(settings, ignore_errors=True)
        with suppress(OSError):
            settings.parent.rmdir()  # stays where somebody else uses it


def _build(walls: Walls) -> None:
    for name in (walls.site, walls.far):
        _output("ip", "netns", "add", name)
        _output("ip", "-n", name, "link", "set", "lo", "up")
    wire = ("eth0", "type", "veth", "peer", "name", "eth0", "netns", walls.site)
    _output("ip", "-n", walls.far, "link", "add", *wire)
    for name, addresses in ((walls.far, (PLATFORM, PROXY, RESOLVER)), (walls.site, (SITE,))):
        for address in addresses:
            _output("ip", "-n", name, "address", "add", f"{address}/24", "dev", "eth0")
        _output("ip", "-n", name, "link", "set", "eth0", "up")
    # Without a route out, what must not leave would end before it is counted.
    _output("ip", "-n", walls.site, "route", "add", "default", "via", PLATFORM)


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


def _inside(namespace: str, call: Callable[[], Made]) -> Made:
    """Call in a thread that has entered the namespace; what it starts is born there."""
    with ThreadPoolExecutor(1, initializer=_enter, initargs=(namespace,)) as pool:
        return pool.submit(call).result()


def _enter(namespace: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/run/netns", namespace).open("rb") as file:
        if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {namespace}")

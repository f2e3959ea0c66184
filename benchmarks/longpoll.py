"""What it costs a hub to let thousands of agents wait, and how fast it wakes one of them.

A real hub process on loopback, one token for each agent, one connection for each poll; the agents
are one process of raw sockets. Beside it, in the same pass, a bare Starlette application on the
same server holds as many requests on one event. Five minutes for 5,000; `--quick` takes 60 agents.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from pathlib import Path

from benchmarks.harness import Figure, is_quick, publish
from benchmarks.processes import end

POOL = 20
WAKES = 200
QUIET_S = 0.5 if is_quick() else 10.0
POLL_S = 1.0 if is_quick() else 20.0
HOLD_S = 300.0
BARE = """
import asyncio, sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
event, first = asyncio.Event(), []
async def hold(request):
    await request.body()
    mine = asyncio.Event()
    first.append(mine)
    waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(mine.wait())]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    return Response(status_code=204)
async def one(request):
    first.pop(0).set()
    return Response(status_code=204)
async def everybody(request):
    event.set()
    return Response(status_code=204)
calls = {"/hold": hold, "/one": one, "/all": everybody}
app = Starlette(routes=[Route(path, call, methods=["POST"]) for path, call in calls.items()])
uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False,
            log_level="warning", timeout_keep_alive=600, backlog=8192)
"""


class Line(asyncio.Protocol):
    """One connection: a request out, an answer in."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.answer: asyncio.Future[tuple[int, dict[bytes, bytes], bytes]] | None = None
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, end, body = self._read.partition(b"\r\n\r\n")
        if not end:
            return
        first, *lines = head.split(b"\r\n")
        headers = {name.lower(): value for name, value in (line.split(b": ", 1) for line in lines)}
        if len(body) < int(headers.get(b"content-length", 0)):
            return
        self._read = b""
        if self.answer is not None and not self.answer.done():
            self.answer.set_result((int(first.split()[1]), headers, body))

    def connection_lost(self, _: Exception | None) -> None:
        self.transport = None
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(ConnectionError("the connection ended"))


class Caller:
    """Calls a server on a connection that is kept."""

    def __init__(self, port: int, token: str = "") -> None:
        self.port, self.token = port, token
        self.line = Line()

    async def call(
        self, method: str, path: str, body: object = None, lease: str = ""
    ) -> tuple[int, dict[bytes, bytes], bytes]:
        if self.line.transport is None:
            loop = asyncio.get_running_loop()
            _, self.line = await loop.create_connection(Line, "127.0.0.1", self.port)
        payload = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: hub\r\nContent-Length: {len(payload)}\r\n"
        if self.token:
            head += f"Authorization: Bearer {self.token}\r\nAlectio-Protocol: 1\r\n"
        if lease:
            head += f"Alectio-Lease: {lease}\r\n"
        self.line.answer = asyncio.get_running_loop().create_future()
        assert self.line.transport is not None
        self.line.transport.write(head.encode() + b"\r\n" + payload)
        return await self.line.answer

    async def good(self, method: str, path: str, body: object = None, lease: str = "") -> dict:
        status, _, answer = await self.call(method, path, body, lease)
        if status not in (200, 204):
            raise RuntimeError(f"{method} {path}: {status} {answer[:500]!r}")
        return json.loads(answer) if answer else {}

    def close(self) -> None:
        if self.line.transport is not None:
            self.line.transport.abort()
        self.line = Line()


class Agent:
    """One agent, as the hub sees it."""

    def __init__(self, at: int, port: int, token: str) -> None:
        self.at, self.seq = at, 1
        self.polls = Caller(port, token)
        self.agent_id = ""

    async def register(self) -> None:
        offers = [{"name": name, "pool_size": POOL} for name in ("waits", "batch", "idle")]
        said = {
            "installation_id": f"installation-{self.at:05}",
            "boot": {"count": 1, "id": f"boot-{self.at:05}"},
            "name": f"gpu{self.at:05}",
            "version": "1",
            "pipelines": offers,
        }
        self.agent_id = (await self.polls.good("POST", "/v1/agents", said))["agent_id"]

    async def poll(self, pipeline: str, wait_s: float) -> dict | None:
        """One poll; the job, if there is one."""
        said = {
            "agent_id": self.agent_id, "boot": f"boot-{self.at:05}", "seq": self.seq,
            "wait_s": wait_s, "free": [pipeline],
        }  # fmt: skip
        job = await self.polls.good("POST", "/v1/claims", said)
        if job:
            self.seq += 1
        return job or None

    async def about(self, job: dict, method: str, what: str, body: object) -> None:
        await self.polls.good(method, f"/v1/jobs/{job['job_id']}/{what}", body, job["lease"])

    async def finish(self, job: dict) -> None:
        """Beat, then commit what the job asks for."""
        await self.about(job, "POST", "heartbeat", {"step": "train", "progress": None})
        for order in job["steps"]:
            inline: dict = {"labels": None, "hyperparams": {}}
            rows: list = []
            if order["step"] == "test":
                rows = [[at, [at % 2, at % 2]] for at in range(4)]
                inline = {"rows": rows}
            await self.about(job, "PUT", f"steps/{order['step']}", {
                "key": f"{order['step']}-{job['lease']}", "media_type": "application/json",
                "rows": len(rows), "inline": inline, "duration_s": 1.0,
                "started_at": "2026-01-01T00:00:00.000Z",
                "finished_at": "2026-01-01T00:00:01.000Z",
            })  # fmt: skip


class Served:
    """A server process that is measured."""

    def __init__(self, process: subprocess.Popen, port: int) -> None:
        self.process, self.port = process, port

    @property
    def pss_kb(self) -> float:
        rollup = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return float(
            next(line for line in rollup.splitlines() if line.startswith("Pss:")).split()[1]
        )

    @property
    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def until_open(self) -> None:
        while True:
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            if self.process.poll() is not None:
                raise RuntimeError("the server ended")
            await asyncio.sleep(0.02)


class Hub(Served):
    """A hub in a folder of its own, that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(self._start(free_port()), 0)
        printed = ""
        assert self.process.stdout is not None
        while "alt_" not in printed:
            printed = self.process.stdout.readline()
        self.operator = Caller(self.port, printed.strip())

    def _start(self, port: int) -> subprocess.Popen:
        self.port_wanted = port
        words = ["serve", "--data", self.folder, "--port", port]
        return subprocess.Popen(
            [sys.executable, "-m", "alectio_agent", "hub", *map(str, words)],
            stdout=subprocess.PIPE, stderr=(self.folder.parent / "hub.log").open("a"), text=True,
        )  # fmt: skip

    @property
    def port(self) -> int:
        return self.port_wanted

    @port.setter
    def port(self, port: int) -> None:
        """It is chosen before the start."""

    def start_again(self) -> None:
        self.process = self._start(self.port_wanted)


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--agents", type=int, default=60 if is_quick() else 5000)
    parser.add_argument("--json")
    parser.add_argument("--quick", action="store_true")
    wanted = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # A worker of a hub that was killed may write for a moment yet.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        bare = await measure_bare(wanted.agents, Path(folder))
        figures = await Measured(wanted.agents, Path(folder) / "hub", bare).measure()
    publish("longpoll", figures)


async def measure_bare(count: int, folder: Path) -> dict[str, list[float]]:
    """The least that holding costs on this server: an event, and no word about who waits."""
    file, port = folder / "bare.py", free_port()
    file.write_text(BARE)
    served = Served(subprocess.Popen([sys.executable, str(file), str(port)]), port)
    try:
        await served.until_open()
        warm = Caller(port)
        holds, held = [Caller(port) for _ in range(count)], []
        before = served.pss_kb
        for some in chunks(holds, 200):
            held += [asyncio.ensure_future(caller.call("POST", "/hold", {})) for caller in some]
            await asyncio.sleep(0.05)
        await asyncio.sleep(1)
        kb = (served.pss_kb - before) / count
        cpu = await cpu_percent(served, QUIET_S)
        wakes = []
        for at in range(min(WAKES, count // 4)):
            started = time.perf_counter()
            waking = asyncio.ensure_future(warm.call("POST", "/one", {}))
            await held[at]
            wakes.append((time.perf_counter() - started) * 1000)
            await waking
        started = time.perf_counter()
        await warm.call("POST", "/all", {})
        await asyncio.gather(*held)
        last = (time.perf_counter() - started) * 1000
    finally:
        served.process.kill()
        served.process.wait()
    return {"kb": [kb], "cpu": [cpu], "wakes": wakes, "last": [last]}


class Measured:
    """One pass over a hub."""

    def __init__(self, count: int, folder: Path, bare: dict[str, list[float]]) -> None:
        self.count, self.bare = count, bare
        self.hub = Hub(folder)
        self.agents: list[Agent] = []
        self.figures: list[Figure] = []
        self.errors = 0
        self.asked: list[float] = []
        self.held: list[asyncio.Task[None]] = []
        self.woken: asyncio.Queue[tuple[Agent, dict, float]] = asyncio.Queue()

    async def measure(self) -> list[Figure]:
        try:
            await self.hub.until_open()
            await self._enlist()
            await self._hold()
            await self._wake()
            await self._poll()
            await self._restart()
            await self._finish()
            await self._stop()
        finally:
            end(self.hub.process)  # with its worker, which writes results files
        return self.figures

    def tell(self, what: str, unit: str, values: Iterable[float], **more: object) -> None:
        self.figures.append(Figure(f"{what}, {self.count} agents", unit, tuple(values), **more))  # type: ignore[arg-type]
        print(f"  {what}: {self.figures[-1].value:.3f} {unit}", file=sys.stderr)

    async def _enlist(self) -> None:
        operators = [Caller(self.hub.port, self.hub.operator.token) for _ in range(100)]

        async def enlist(at: int) -> Agent:
            said = {"name": f"gpu{at:05}", "scope": "agent"}
            token = (await operators[at % 100].good("POST", "/v1/tokens", said))["token"]
            agent = Agent(at, self.hub.port, token)
            await agent.register()
            return agent

        started = time.perf_counter()
        self.agents = await in_groups(enlist, range(self.count), 100)
        for operator in operators:
            operator.close()
        self.tell("register", "agents/s", [self.count / (time.perf_counter() - started)])

    async def _hold(self) -> None:
        # In a process that has seen no agent yet: what it keeps of each of them counts too.
        for agent in self.agents:
            agent.polls.close()
        self.hub.process.kill()
        self.hub.process.wait()
        self.hub.start_again()
        await self.hub.until_open()
        await self._until_quiet()
        before = self.hub.pss_kb
        self.held = [asyncio.ensure_future(self._await_job(agent)) for agent in self.agents]
        await self._until_held()
        # First polls of a process ask the tables, and uses of tokens are written in groups.
        await self._until_quiet()
        kb = (self.hub.pss_kb - before) / self.count
        self.tell("memory of a held poll", "KB", [kb], most=40)
        self.tell(
            "memory of a held poll", "KB", [kb],
            baseline="Starlette, an event", baseline_values=tuple(self.bare["kb"]),
        )  # fmt: skip
        cpu = [await cpu_percent(self.hub, 1 if is_quick() else QUIET_S)]
        self.tell("processor between expiries", "%", cpu, most=1)

    async def _wake(self) -> None:
        """One job, handed back by one agent after another: it wakes the one that waits longest."""
        await self._create("one", "waits")
        took, given = list[float](), list[float]()
        agent, job, _ = await self.woken.get()
        for _ in range(10 if is_quick() else WAKES):
            await agent.about(job, "POST", "heartbeat", {"step": "train", "progress": None})
            await asyncio.sleep(0.01)
            failure = {
                "key": f"fail-{job['lease']}", "step": "train", "class": "interrupted",
                "message": "", "traceback": "",
            }  # fmt: skip
            started = time.perf_counter()
            given_at = await self._give_back(agent, job, failure)
            self.held.append(asyncio.ensure_future(self._await_job(agent)))
            agent, job, woken_at = await self.woken.get()
            took.append((woken_at - started) * 1000)
            given.append((given_at - started) * 1000)
        bare = self.bare["wakes"]
        p99, bare_p99 = quantile(took, 0.99), quantile(bare, 0.99)
        self.tell("wake one, p50", "ms", [quantile(took, 0.5)], baseline="Starlette, an event",
                  baseline_values=(quantile(bare, 0.5),))  # fmt: skip
        self.tell("wake one, p99", "ms", [p99], baseline="Starlette, an event",
                  baseline_values=(bare_p99,))  # fmt: skip
        # The call is answered once its commit is durable: what comes later is the waking.
        waking = [max(0.0, each - at) for each, at in zip(took, given, strict=True)]
        self.tell("wake one, p50, after the commit", "ms", [quantile(waking, 0.5)])
        self.tell("wake one, p99, after the commit", "ms", [quantile(waking, 0.99)], most=5)

    async def _await_job(self, agent: Agent) -> None:
        """A look at all polls at once would take the time of the client that is measured."""
        job = await self._late(agent, "waits", HOLD_S)
        if job is not None:
            self.woken.put_nowait((agent, job, time.perf_counter()))

    async def _give_back(self, agent: Agent, job: dict, failure: dict) -> float:
        await agent.about(job, "POST", "fail", failure)
        return time.perf_counter()

    async def _poll(self) -> None:
        """All poll again and again, as agents do that find nothing."""
        await self._let_go()
        self.loops = [asyncio.ensure_future(self._go_on(agent)) for agent in self.agents]
        await asyncio.sleep(POLL_S)  # by then, all are held for the first time
        self.asked.clear()
        started, before = self.hub.cpu_s, time.perf_counter()
        await asyncio.sleep(POLL_S)
        cpu_s, took_s = self.hub.cpu_s - started, time.perf_counter() - before
        polls = len(self.asked)
        self.tell("processor with 20 s polls", "%", [100 * cpu_s / took_s], most=25)
        self.tell("processor per poll", "ms", [1000 * cpu_s / max(1, polls)], most=1)
        self.tell("polls that were asked", "per s", [polls / took_s])

    async def _go_on(self, agent: Agent) -> None:
        failures = 0
        await asyncio.sleep(random.uniform(0, POLL_S))
        while True:
            self.asked.append(time.perf_counter())
            try:
                status, headers, _ = await agent.polls.call("POST", "/v1/claims", {
                    "agent_id": agent.agent_id, "boot": f"boot-{agent.at:05}", "seq": agent.seq,
                    "wait_s": POLL_S, "free": ["idle"],
                })  # fmt: skip
                failures, self.errors = 0, self.errors + (status != 204)
                await asyncio.sleep(float(headers.get(b"retry-after", 0)))
            except OSError:
                # As the agent does it: full jitter, from a second, doubling to a minute.
                failures += 1
                await asyncio.sleep(
                    random.uniform(0, min(1 if is_quick() else 60, 2 ** (failures - 1)))
                )

    async def _restart(self) -> None:
        self.hub.process.kill()
        self.hub.process.wait()
        self.asked.clear()
        started = time.perf_counter()
        self.hub.start_again()
        await self.hub.until_open()
        opened = time.perf_counter()
        await self._until_held()
        back = time.perf_counter()
        served = [at for at in self.asked if at >= opened]
        busiest = max(bisect_left(served, at + 1) - first for first, at in enumerate(served))
        self.tell("serves again after a kill", "s", [opened - started])
        self.tell("all held again after a kill, once it serves", "s", [back - opened], most=30)
        self.tell("the same, from the kill on", "s", [back - started])
        self.tell("most polls in a second after it", "per s", [busiest])
        self.tell("errors after it", "errors", [self.errors], most=0)
        for task in self.loops:
            task.cancel()
        await asyncio.gather(*self.loops, return_exceptions=True)
        for agent in self.agents:
            agent.polls.close()

    async def _finish(self) -> None:
        """As many jobs as agents; all claim at once, and finish theirs."""
        operators = [Caller(self.hub.port, self.hub.operator.token) for _ in range(20)]

        async def create(at: int) -> None:
            await self._create(f"batch{at:05}", "batch", operators[at % 20])

        for some in chunks(range(self.count), 20):
            await asyncio.gather(*(create(at) for at in some))
        while await self._missing("batch"):
            await asyncio.sleep(1)
        errors = 0

        async def work(agent: Agent) -> float:
            nonlocal errors
            try:
                while (job := await agent.poll("batch", 20)) is None:
                    pass
                claimed.append(time.perf_counter())
                await agent.finish(job)
            except (OSError, RuntimeError) as error:
                errors += 1
                print(error, file=sys.stderr)
            return time.perf_counter()

        claimed: list[float] = []
        started, before = time.perf_counter(), self.hub.cpu_s
        ends = await asyncio.gather(*(work(agent) for agent in self.agents))
        took_s = max(ends) - started
        self.tell("all claim at once", "claims/s", [self.count / (max(claimed) - started)])
        self.tell("all finish a job", "jobs/s", [self.count / took_s])
        self.tell("processor per job", "ms", [1000 * (self.hub.cpu_s - before) / self.count])
        self.tell("errors", "errors", [errors], most=0)

    async def _stop(self) -> None:
        for agent in self.agents:
            agent.polls.close()
        held = self._all_poll("idle", HOLD_S)
        await self._until_held()
        await self._until_quiet()  # a connection that it has not accepted yet would be refused
        started = time.perf_counter()
        self.hub.process.send_signal(signal.SIGTERM)
        answers = await asyncio.gather(*held, return_exceptions=True)
        last = (time.perf_counter() - started) * 1000
        self.tell(
            "stop: the last poll is answered", "ms", [last],
            baseline="Starlette, an event", baseline_values=tuple(self.bare["last"]),
        )  # fmt: skip
        lost = [answer for answer in answers if answer is not None]
        self.tell("stop: polls without an answer", "polls", [len(lost)], most=0)

    def _all_poll(self, pipeline: str, wait_s: float) -> list["asyncio.Future"]:
        return [asyncio.ensure_future(self._late(agent, pipeline, wait_s)) for agent in self.agents]

    async def _late(self, agent: Agent, pipeline: str, wait_s: float) -> dict | None:
        await asyncio.sleep(agent.at / 1000)
        return await agent.poll(pipeline, wait_s)

    async def _let_go(self) -> None:
        for task in self.held:
            task.cancel()
        await asyncio.gather(*self.held, return_exceptions=True)
        for agent in self.agents:
            agent.polls.close()
        await asyncio.sleep(1)

    async def _until_held(self) -> None:
        """Until each agent has a connection, and the hub has had the time to take its poll."""
        while sum(agent.polls.line.transport is not None for agent in self.agents) < self.count:
            await asyncio.sleep(0.02)
        # What is answered after all of them was read after all of them.
        await self.hub.operator.good("GET", "/v1/jobs")

    async def _until_quiet(self) -> None:
        """Until the hub did nothing for two seconds; not for ever, as that is a figure."""
        for _ in range(0 if is_quick() else 15):
            if await cpu_percent(self.hub, 2) < 0.5:
                return

    async def _create(self, name: str, pipeline: str, operator: Caller | None = None) -> None:
        settings = {
            "name": name, "pipeline": pipeline, "classes": 2, "batch": 4, "loops": 1,
            "strategy": "random",
        }  # fmt: skip
        await (operator or self.hub.operator).good(
            "POST", "/v1/experiments", {"settings": settings}
        )

    async def _missing(self, prefix: str) -> int:
        jobs = (await self.hub.operator.good("GET", "/v1/jobs"))["jobs"]
        return self.count - sum(job["job"].startswith(prefix) for job in jobs)


async def in_groups(work: Callable[[int], Awaitable], items: Iterable[int], width: int) -> list:
    made: list = []
    for some in chunks(items, width):
        made += await asyncio.gather(*(work(item) for item in some))
    return made


def chunks(items: Iterable, width: int) -> Iterable[list]:
    items = list(items)
    return (items[at : at + width] for at in range(0, len(items), width))


def never() -> "asyncio.Future":
    return asyncio.get_running_loop().create_future()


def quantile(values: list[float], part: float) -> float:
    return statistics.quantiles(values, n=100)[round(part * 100) - 1]


async def cpu_percent(served: Served, seconds: float) -> float:
    before, started = served.cpu_s, time.perf_counter()
    await asyncio.sleep(seconds)
    return 100 * (served.cpu_s - before) / (time.perf_counter() - started)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())

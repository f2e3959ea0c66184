"""The control socket with real connections: good ones, bad ones, and those of other users."""

import contextlib
import grp
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alectio_agent.agent.journal.disk import FolderLock
from alectio_agent.agent.service.control.access import group_number, open_folder
from alectio_agent.agent.service.control.address import connect
from alectio_agent.agent.service.control.client import call, reach
from alectio_agent.agent.service.control.protocol import MOST_BYTES, Request
from alectio_agent.agent.service.control.server import MOST_CONNECTIONS, ControlServer
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import (
    ConfigError,
    ControlDeniedError,
    ControlError,
    StoreError,
    UsageError,
)

CLOCK = SystemClock()
STATE = b'{"protocol": 1, "verb": "state"}\n'
Start = Callable[..., ControlServer]
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
NOBODY = 65534


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "state"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts servers that answer with the verb, and closes them."""
    servers = []

    def begin(folder: Path, **options: Any) -> ControlServer:
        answer = options.pop("answer", lambda request: {"verb": request.verb})
        group = options.pop("group", None)
        server = ControlServer(folder, os.geteuid(), group, answer, CLOCK, **options)
        servers.append(server)
        server.start()
        return server

    yield begin
    for server in servers:
        server.close()


def said(connection: socket.socket) -> Any:
    """All that comes until the other end hangs up."""
    connection.settimeout(30)
    received = b""
    while data := connection.recv(65536):
        received += data
    return json.loads(received) if received else None


def patiently(folder: Path) -> socket.socket:
    """A connection, also when more come at once than can wait."""
    connection = reach(folder, CLOCK)
    assert connection is not None
    return connection


def ask(folder: Path, words: bytes = STATE) -> Any:
    with patiently(folder) as connection:
        connection.sendall(words)
        return said(connection)


def test_a_request_is_answered_and_the_connection_ends(folder: Path, start: Start) -> None:
    start(folder)
    assert ask(folder) == {"protocol": 1, "answer": {"verb": "state"}}
    assert (folder / "control.sock").stat().st_mode & 0o777 == 0o600


def test_a_request_may_come_in_pieces(folder: Path, start: Start) -> None:
    start(folder)
    with connect(folder, 30) as connection:
        for byte in STATE:
            connection.send(bytes([byte]))
        assert said(connection)["answer"] == {"verb": "state"}


@pytest.mark.parametrize(
    "words", [b"\n", b"GET / HTTP/1.1\r\n\r\n", b"\x00\xff\n", b'{"protocol": 9}\n', b"7\n"]
)
def test_garbage_is_refused_by_name(folder: Path, start: Start, words: bytes) -> None:
    start(folder)
    assert ask(folder, words)["error"]["code"] == "E-CTL-03"
    assert "answer" in ask(folder)


def test_a_request_without_end_is_refused_before_it_is_large(folder: Path, start: Start) -> None:
    start(folder)
    with connect(folder, 30) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while True:
                connection.sendall(b"x" * MOST_BYTES)
        with contextlib.suppress(ConnectionResetError):
            assert "before" in said(connection)["error"]["message"]
    assert "answer" in ask(folder)


def test_who_says_nothing_is_sent_away_and_keeps_nobody_waiting(folder: Path, start: Start) -> None:
    start(folder, silence_s=0.2)
    with connect(folder, 30) as silent, connect(folder, 30) as slow:
        slow.sendall(STATE[:10])
        assert "answer" in ask(folder), "others are answered meanwhile"
        assert "no request came" in said(silent)["error"]["message"]
        assert "no request came" in said(slow)["error"]["message"]


def test_who_hangs_up_before_the_answer_ends_nothing(folder: Path, start: Start) -> None:
    heard, go = threading.Event(), threading.Event()

    def answer(request: Request) -> dict[str, str]:
        if request.verb == "resume":
            heard.set()
            assert go.wait(30)
        return {"verb": request.verb}

    start(folder, answer=answer)
    with connect(folder, 30) as connection:
        connection.sendall(Request(verb="resume").line())
        assert heard.wait(30)
    go.set()
    assert "answer" in ask(folder)


def test_silent_ones_are_given_up_for_new_ones(folder: Path, start: Start) -> None:
    """Whoever opens connections without end shuts nobody out."""
    start(folder, silence_s=3600.0)
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(patiently(folder)) for _ in range(MOST_CONNECTIONS)]
        assert "answer" in ask(folder)
        assert "too many" in said(silent[0])["error"]["message"]


def test_an_error_is_told_and_the_next_request_is_answered(folder: Path, start: Start) -> None:
    def answer(request: Request) -> dict[str, str]:
        if request.verb == "restart":
            raise ConfigError("E-CONF-02  agent.yaml:3 nonsense: unknown key", hint="Remove it.")
        return {"verb": request.verb}

    start(folder, answer=answer)
    with (
        pytest.raises(ConfigError, match="nonsense") as raised,
        call(folder, Request(verb="restart"), CLOCK),
    ):
        pass
    assert raised.value.hint == "Remove it."
    with call(folder, Request(verb="state"), CLOCK) as made:
        assert made is not None
        assert made.answer == {"verb": "state"}


def test_a_socket_that_a_dead_agent_left_is_replaced(folder: Path, start: Start) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(folder / "control.sock"))
    left.close()
    assert reach(folder, CLOCK) is None
    start(folder)
    assert "answer" in ask(folder)


def test_where_no_socket_can_be_the_agent_runs_without(
    folder: Path, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "control.sock").mkdir()
    server = start(folder)
    assert "cannot be steered" in caplog.text
    server.close()


def test_a_long_path_works(tmp_path: Path, start: Start) -> None:
    """The kernel takes 107 bytes as the path of a socket."""
    folder = tmp_path
    for _ in range(4):
        folder = folder / ("d" * 60)
    folder.mkdir(parents=True)
    assert len(str(folder)) > 240
    start(folder)
    assert "answer" in ask(folder)


def test_after_the_end_nobody_is_there(folder: Path, start: Start) -> None:
    start(folder).close()
    assert not (folder / "control.sock").exists()
    with call(folder, Request(verb="state"), CLOCK) as made:
        assert made is None
    with call(folder / "nowhere", Request(verb="state"), CLOCK) as made:
        assert made is None


def test_who_waits_is_kept_beyond_the_end_of_the_server(folder: Path, start: Start) -> None:
    """Only the end of the process ends the connection."""
    server = start(folder)
    with call(folder, Request(verb="stop", wait=True), CLOCK) as made:
        assert made is not None
        server.close()
        del server
        made._connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            made._connection.recv(1)
        assert not made.has_exited


def test_an_agent_that_holds_its_folder_is_waited_for(folder: Path, start: Start) -> None:
    """It is starting; a pause must not be written beside it."""
    lock = FolderLock(folder)
    found: list[socket.socket | None] = []
    looker = threading.Thread(target=lambda: found.append(reach(folder, CLOCK)))
    looker.start()
    start(folder)
    looker.join(30)
    assert found[0] is not None
    found[0].close()
    lock.release()


def test_an_agent_that_never_answers_is_given_up(folder: Path) -> None:
    lock = FolderLock(folder)
    with pytest.raises(ControlError, match=r"answers nothing for 0\.1 s"):
        reach(folder, CLOCK, patience_s=0.1)
    lock.release()


def test_an_answer_that_does_not_come_is_said(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "control.sock"))
        listening.listen()
        hang_up = threading.Thread(target=lambda: listening.accept()[0].close())
        hang_up.start()
        with (
            pytest.raises(ControlError, match=r"hung up|reset"),
            call(folder, Request(verb="state"), CLOCK),
        ):
            pass
        hang_up.join(30)


# Other users ---------------------------------------------------------------------------------

ASK = """
import json, os, socket, sys
from pathlib import Path
folder, uid, gid, groups = sys.argv[1], *map(json.loads, sys.argv[2:5])
os.setgroups(groups); os.setgid(gid); os.setuid(uid)
with socket.socket(socket.AF_UNIX) as connection:
    try:
        connection.connect(folder + "/control.sock")
        try:
            connection.sendall(b'{"protocol": 1, "verb": "state"}\\n')
        except BrokenPipeError:
            pass  # refused before it has asked
        print(connection.recv(65536).decode().strip())
    except OSError as error:
        print(type(error).__name__)
for name in ("secret", "kept/secret"):
    try:
        print(Path(folder, name).read_text())
    except OSError as error:
        print(type(error).__name__)
try:
    print(os.listdir(folder))
except OSError as error:
    print(type(error).__name__)
"""


def ask_as(folder: Path, uid: int, gid: int, groups: list[int]) -> list[str]:
    """What another user gets: of the socket, of two files, and of the list."""
    words = [str(folder), str(uid), str(gid), json.dumps(groups)]
    done = subprocess.run(
        [sys.executable, "-c", ASK, *words], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


@pytest.fixture
def open_way(folder: Path) -> Path:
    """The folder with two files that anybody could read, below folders that anybody can pass."""
    (folder / "secret").write_text("labels")
    (folder / "secret").chmod(0o644)
    (folder / "kept").mkdir(mode=0o755)
    (folder / "kept" / "secret").write_text("labels")
    (folder / "kept" / "secret").chmod(0o644)
    for above in folder.parents:
        if above.stat().st_uid == os.geteuid() and above != Path("/"):
            above.chmod(above.stat().st_mode | 0o011)
    return folder


@root_only
def test_another_user_gets_nowhere(open_way: Path, start: Start) -> None:
    start(open_way)
    assert ask_as(open_way, NOBODY, NOBODY, []) == ["PermissionError"] * 4


@root_only
def test_members_of_the_group_steer_and_read_nothing(open_way: Path, start: Start) -> None:
    group = 4242
    start(open_way, group=group)
    answer, *rest = ask_as(open_way, NOBODY, NOBODY, [1000, group])
    assert "answer" in answer
    assert rest == ["PermissionError"] * 3, "neither results nor their names"
    assert ask_as(open_way, NOBODY, group, [])[0].startswith('{"protocol": 1, "answer"')
    assert ask_as(open_way, NOBODY, NOBODY, [1000]) == ["PermissionError"] * 4
    assert open_way.stat().st_mode & 0o777 == 0o710


@root_only
def test_who_gets_to_the_socket_all_the_same_is_refused(open_way: Path, start: Start) -> None:
    """Modes of files can be changed; who asks is looked at as well."""
    start(open_way)
    open_way.chmod(0o711)
    (open_way / "control.sock").chmod(0o666)
    answer = ask_as(open_way, NOBODY, NOBODY, [])[0]
    assert json.loads(answer)["error"]["code"] == "E-CTL-02"
    assert json.loads(answer)["error"]["exit_code"] == 77


@root_only
def test_a_command_of_another_user_says_who_may(open_way: Path, start: Start) -> None:
    start(open_way)
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from tests.integration.test_control_socket import CLOCK, Request, call\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try:\n    with call(Path(sys.argv[1]), Request(verb='state'), CLOCK): pass\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(open_way)],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    assert ControlDeniedError.__name__ in done.stdout, done.stderr
    assert "agent.control_group" in done.stdout


def test_a_group_that_is_not_there_is_a_mistake_of_the_configuration() -> None:
    with pytest.raises(ConfigError, match="found `no-such-group`, expected a group of this"):
        group_number("no-such-group")
    assert group_number(None) is None


def test_an_own_group_can_be_used() -> None:
    mine = grp.getgrgid(os.getegid())
    assert group_number(mine.gr_name) == mine.gr_gid


def test_a_foreign_group_names_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a member may give a group anything."""
    foreign = next(each for each in grp.getgrall() if each.gr_gid not in os.getgroups())
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    monkeypatch.setattr(os, "getegid", lambda: NOBODY)
    with pytest.raises(ConfigError) as raised:
        group_number(foreign.gr_name)
    assert f"usermod -aG {foreign.gr_name}" in raised.value.hint


def test_a_folder_that_cannot_be_closed_is_not_opened(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted", str(folder))

    monkeypatch.setattr(os, "chown", refuse)
    with pytest.raises(StoreError, match="cannot be closed to others"):
        open_folder(folder, os.getegid())
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_wrong_state_for_a_verb_is_a_wrong_use(folder: Path, start: Start) -> None:
    def answer(_: Request) -> dict[str, str]:
        raise UsageError("it is stopping")

    start(folder, answer=answer)
    with pytest.raises(UsageError, match="it is stopping"), call(folder, Request(verb="x"), CLOCK):
        pass

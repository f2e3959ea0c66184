"""The hub as a process: start, lock, tokens, held calls, stop, kill and restart."""

import gzip
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.hub_process import Hub, listening_socket
from tests.support.lines import Line, open_line

EXPERIMENT = {
    "name": "digits",
    "classes": 2,
    "batch": 3,
    "loops": 2,
    "pool": 20,
    "strategy": "random",
}


@pytest.fixture
def hub(tmp_path: Path, listening: socket.socket) -> Iterator[Hub]:
    started = Hub.embedded(tmp_path / "hub", listening)
    yield started
    started.kill()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(40) as pool:
        yield pool


def register(hub: Hub, name: str = "gpu01", boot: int = 1, **more: Any) -> str:
    answer = hub.call(
        "POST",
        "/v1/agents",
        {
            "installation_id": f"installation-{name}",
            "boot": {"count": boot, "id": f"boot-{name}-{boot}"},
            "name": name,
            "version": "1",
            "pipelines": [{"name": "digits", "pool_size": 20}],
            **more,
        },
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["agent_id"])


def claim(
    hub: Hub, agent_id: str, name: str = "gpu01", seq: int = 1, wait_s: float = 20, boot: int = 1
) -> requests.Response:
    body = {
        "agent_id": agent_id,
        "boot": f"boot-{name}-{boot}",
        "seq": seq,
        "wait_s": wait_s,
        "free": ["digits"],
    }
    return hub.call("POST", "/v1/claims", body)


def create(hub: Hub, **changed: Any) -> None:
    answer = hub.operate("POST", "/v1/experiments", {"settings": {**EXPERIMENT, **changed}})
    assert answer.status_code == 200, answer.text


def problem(answer: requests.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert answer.json()["status"] == answer.status_code
    return str(answer.json()["type"])


def until_held(hub: Hub, polls: int) -> None:
    """Until so many connections are open at the hub besides our own: their calls are held."""
    port = int(hub.url.rsplit(":", 1)[1])
    while len(_open_connections(port)) < polls:
        hub.call("GET", "/v1/platform")
    # An open connection need not have been read from yet: these calls come behind its request.
    for _ in range(5):
        hub.call("GET", "/v1/platform")


def _open_connections(port: int) -> list[str]:
    table = Path("/proc/net/tcp").read_text().splitlines()[1:]
    # Columns: number, local address, remote address, state (01: established).
    rows = [row.split() for row in table]
    return [row[2] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "01"]


class TestStart:
    def test_a_hub_in_the_box_says_where_it_is_and_takes_its_parents_tokens(self, hub: Hub) -> None:
        answer = hub.call("GET", "/v1/platform").json()
        assert answer["platform_id"] == hub.platform_id
        assert answer["scope"] == "agent"
        assert hub.operate("GET", "/v1/platform").json()["scope"] == "operator"

    def test_the_folder_and_its_files_are_closed_to_others(self, hub: Hub, tmp_path: Path) -> None:
        assert (tmp_path / "hub").stat().st_mode & 0o777 == 0o700
        files = [file for file in (tmp_path / "hub").rglob("*") if file.is_file()]
        assert {"hub.json", "hub.lock"} <= {file.name for file in files}
        assert {oct(file.stat().st_mode & 0o077) for file in files} == {"0o0"}

    def test_commands_find_the_hub_through_its_file(self, hub: Hub, tmp_path: Path) -> None:
        found = json.loads((tmp_path / "hub" / "hub.json").read_text())
        assert found["url"] == hub.url
        assert found["pid"] == hub.process.pid
        assert hub.call("GET", "/v1/jobs", token=found["operator_token"]).status_code == 200

    def test_tokens_of_a_process_are_not_stored(
        self, hub: Hub, tmp_path: Path, listening: socket.socket
    ) -> None:
        hub.stop()
        data = b"".join(file.read_bytes() for file in (tmp_path / "hub").glob("hub.db*"))
        assert hub.agent_token.encode() not in data
        assert hashlib.sha256(hub.agent_token.encode()).hexdigest().encode() not in data

    def test_the_process_stays_small(self, hub: Hub) -> None:
        """Selections and metrics run in a process of their own; this one never loads numpy."""
        create(hub)
        assert "numpy" not in Path(f"/proc/{hub.process.pid}/maps").read_text()

    def test_hub_serve_prints_an_operator_token_at_its_first_start_only(
        self, tmp_path: Path
    ) -> None:
        first = Hub.served(tmp_path / "hub")
        try:
            assert "not shown again" in first.printed
            assert first.operate("GET", "/v1/platform").json()["scope"] == "operator"
        finally:
            first.stop()
        second = Hub.served(tmp_path / "hub")
        try:
            assert "token" not in second.printed
            second.operator_token = first.operator_token
            assert second.operate("GET", "/v1/jobs").status_code == 200
        finally:
            second.stop()

    def test_a_hub_that_others_can_reach_warns_about_plain_http(self, tmp_path: Path) -> None:
        hub = Hub.served(tmp_path / "hub", "--host", "0.0.0.0")
        assert hub.url.startswith("http://127.0.0.1:")
        assert hub.operate("GET", "/v1/platform").status_code == 200
        code, told = hub.stop()
        assert code == 0
        assert "TLS" in told

    def test_a_second_hub_on_the_folder_is_told_who_holds_it(
        self, hub: Hub, tmp_path: Path
    ) -> None:
        code, told = run_hub("serve", "--data", tmp_path / "hub", "--port", "0")
        assert code == 75
        assert f"another hub works in this folder (pid {hub.process.pid})" in told
        assert "Traceback" not in told

    def test_a_port_that_is_taken_is_a_clear_message(
        self, listening: socket.socket, tmp_path: Path
    ) -> None:
        port = listening.getsockname()[1]
        code, told = run_hub("serve", "--data", tmp_path / "hub", "--port", port)
        assert code == 75
        assert f"127.0.0.1:{port}: Address already in use" in told
        assert "Traceback" not in told
        assert not (tmp_path / "hub" / "hub.db").exists()

    def test_an_address_that_is_not_here_is_a_wrong_use(self, tmp_path: Path) -> None:
        code, told = run_hub("serve", "--data", tmp_path / "hub", "--host", "no.such.invalid")
        assert code == 2
        assert "--host no.such.invalid" in told

    def test_a_folder_with_other_things_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.tex").write_text("")
        code, told = run_hub("serve", "--data", tmp_path, "--port", "0")
        assert code == 2
        assert "no hub's folder" in told

    def test_a_new_hub_in_the_box_waits_for_the_old_one_to_leave(
        self, hub: Hub, tmp_path: Path, listening: socket.socket, threads: ThreadPoolExecutor
    ) -> None:
        second = threads.submit(Hub.embedded, tmp_path / "hub", listening)
        assert not second.done()
        hub.stop()
        successor = second.result()
        try:
            assert successor.platform_id == hub.platform_id
        finally:
            successor.kill()

    def test_hub_embedded_by_hand_is_a_wrong_use(self, tmp_path: Path) -> None:
        code, told = run_hub(
            "embedded", "--data", tmp_path / "hub", "--results", tmp_path,
            "--socket-fd", 0, "--pipe-fd", 0, "--ready-fd", 1,
        )  # fmt: skip
        assert code == 2
        assert "hub serve" in told


def run_hub(*words: object) -> tuple[int, str]:
    """A `hub` command that ends by itself: exit code and stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "alectio_agent", "hub", *map(str, words)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


class TestHeldClaims:
    def test_a_job_that_comes_is_given_to_one_of_all_that_wait(
        self, hub: Hub, threads: ThreadPoolExecutor
    ) -> None:
        polls = self._polls(hub, threads, 20)
        create(hub)
        first = next(poll for poll in iter_done(polls) if poll.status_code == 200)
        assert first.json()["job"] == "digits/0"
        hub.stop()
        codes = [poll.result().status_code for poll in polls]
        assert sorted(codes) == [200] + [204] * 19

    def test_the_same_poll_again_ends_the_first_and_gets_the_job(
        self, hub: Hub, threads: ThreadPoolExecutor
    ) -> None:
        agent_id = register(hub)
        first = threads.submit(claim, hub, agent_id)
        until_held(hub, 1)
        second = threads.submit(claim, hub, agent_id)
        assert first.result().status_code == 204
        create(hub)
        assert second.result().json()["job"] == "digits/0"

    def test_a_client_that_went_away_gets_no_job(self, hub: Hub) -> None:
        gone, here = register(hub, "gone"), register(hub, "here")
        body = json.dumps(
            {"agent_id": gone, "boot": "boot-gone-1", "seq": 1, "wait_s": 20, "free": ["digits"]}
        ).encode()
        port = int(hub.url.rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port)) as line:
            head = (
                "POST /v1/claims HTTP/1.1\r\nHost: hub\r\nAlectio-Protocol: 1\r\n"
                f"Authorization: Bearer {hub.agent_token}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            line.sendall(head.encode() + body)
            until_held(hub, 1)
        create(hub)
        assert claim(hub, here, "here").json()["job"] == "digits/0"

    def test_a_graceful_stop_answers_held_polls_and_ends_clean(
        self, hub: Hub, tmp_path: Path, threads: ThreadPoolExecutor
    ) -> None:
        create(hub, pipeline="elsewhere")
        view = threads.submit(hub.operate, "GET", "/v1/experiments/digits?after=99&wait_s=20")
        polls = self._polls(hub, threads, 10, held_before=1)
        code, told = hub.stop()
        assert view.result().json()["name"] == "digits"
        answers = [poll.result() for poll in polls]
        assert {answer.status_code for answer in answers} == {204}
        assert all(0 <= int(answer.headers["retry-after"]) <= 15 for answer in answers)
        assert (code, told) == (0, "")
        assert not (tmp_path / "hub" / "hub.json").exists()

    def test_the_end_of_the_pipe_stops_the_hub_like_a_signal(
        self, hub: Hub, threads: ThreadPoolExecutor
    ) -> None:
        [poll] = self._polls(hub, threads, 1)
        hub.let_go()
        assert poll.result().status_code == 204
        assert hub.wait() == (0, "")

    def test_an_experiment_is_held_until_something_changes(
        self, hub: Hub, threads: ThreadPoolExecutor
    ) -> None:
        create(hub)
        agent_id = register(hub)
        claim(hub, agent_id)
        view = hub.operate("GET", "/v1/experiments/digits").json()
        path = f"/v1/experiments/digits?wait_s=20&after={view['version']}"
        held = threads.submit(hub.operate, "GET", path)
        until_held(hub, 1)
        assert hub.call("DELETE", f"/v1/agents/{agent_id}").status_code == 200
        assert held.result().json()["version"] > view["version"]

    def _polls(
        self, hub: Hub, threads: ThreadPoolExecutor, count: int, held_before: int = 0
    ) -> list["Future[requests.Response]"]:
        names = [f"gpu{number}" for number in range(count)]
        polls = [threads.submit(claim, hub, register(hub, name), name) for name in names]
        until_held(hub, held_before + count)
        return polls


class TestStop:
    def test_an_upload_that_runs_is_taken_and_its_connection_ended(self, hub: Hub) -> None:
        create(hub)
        job = claim(hub, register(hub)).json()
        beat(hub, job)
        part = gzip.compress(b"[0, 1]\n")
        with open_line(hub) as line:
            begin_part(line, hub, job, part, len(part) // 2)
            with open_line(hub) as resting:
                resting.send(resting.head("GET", "/v1/platform"))
                assert resting.read().status == 200
                hub.process.send_signal(signal.SIGTERM)
                assert resting.is_at_its_end  # nothing was asked on it: closed at once
            line.send(part[len(part) // 2 :])
            answer = line.read()
            assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert hub.wait() == (0, "")

    def test_nobody_new_is_let_in(self, hub: Hub, listening: socket.socket) -> None:
        create(hub)
        job = claim(hub, register(hub)).json()
        beat(hub, job)
        part = gzip.compress(b"[0, 1]\n")
        with open_line(hub) as line:
            begin_part(line, hub, job, part, 3)
            with open_line(hub) as resting:
                hub.process.send_signal(signal.SIGTERM)
                assert resting.is_at_its_end
            listening.close()  # as of a hub that others started: nobody else holds its address
            with pytest.raises(ConnectionRefusedError), open_line(hub):
                pass
            line.send(part[3:])
            assert line.read().status == 200
        assert hub.wait() == (0, "")

    def test_a_second_signal_waits_for_nobody(self, hub: Hub) -> None:
        """The upload is told to come again, and its part is not there."""
        create(hub)
        job = claim(hub, register(hub)).json()
        beat(hub, job)
        with open_line(hub) as line:
            begin_part(line, hub, job, b"x" * 100, 3)
            with open_line(hub) as resting:
                hub.process.send_signal(signal.SIGTERM)
                assert resting.is_at_its_end
            assert hub.stop() == (0, "")


def begin_part(line: Line, hub: Hub, job: dict[str, Any], part: bytes, upto: int) -> None:
    """Send the first bytes of a part, until the hub holds some of them."""
    sha256 = hashlib.sha256(part).hexdigest()
    more = (f"Content-Length: {len(part)}", f"Alectio-Lease: {job['lease']}")
    line.send(line.head("PUT", f"/v1/jobs/{job['job_id']}/parts/{sha256}", *more), part[:upto])
    for _ in range(5):  # these calls come behind it
        hub.call("GET", "/v1/platform")


def iter_done(polls: list["Future[requests.Response]"]) -> Iterator[requests.Response]:
    for poll in as_completed(polls, timeout=30):
        yield poll.result()


class TestKillAndRestart:
    def test_a_claim_whose_answer_was_lost_is_given_again_by_the_next_process(
        self, hub: Hub, tmp_path: Path, listening: socket.socket
    ) -> None:
        create(hub)
        agent_id = register(hub)
        before = claim(hub, agent_id).json()
        hub.kill()
        again = Hub.embedded(tmp_path / "hub", listening)
        try:
            assert again.platform_id == hub.platform_id
            assert claim(again, agent_id).json() == before
        finally:
            again.kill()

    def test_a_lease_lives_on_in_the_next_process(
        self, hub: Hub, tmp_path: Path, listening: socket.socket
    ) -> None:
        create(hub)
        job = claim(hub, register(hub)).json()
        beat(hub, job)
        hub.kill()
        again = Hub.embedded(tmp_path / "hub", listening)
        try:
            assert beat(again, job).json() == {"cancel": None}
            committed = {"key": "k1", "media_type": "application/json", "rows": 0, "inline": {}}
            answer = about(again, job, "PUT", "steps/train", committed)
            assert answer.json() == {"status": "accepted"}
        finally:
            again.kill()

    def test_a_part_that_was_accepted_is_there_after_a_kill(
        self, hub: Hub, tmp_path: Path, listening: socket.socket
    ) -> None:
        create(hub)
        job = claim(hub, register(hub)).json()
        beat(hub, job)
        part = gzip.compress(b"[0, 1]\n")
        sha256 = hashlib.sha256(part).hexdigest()
        assert about(hub, job, "PUT", f"parts/{sha256}", part).json()["status"] == "accepted"
        hub.kill()
        again = Hub.embedded(tmp_path / "hub", listening)
        try:
            [stored] = [file for file in (tmp_path / "hub").rglob(f"*{sha256}*") if file.is_file()]
            assert stored.read_bytes() == part
        finally:
            again.kill()

    def test_what_was_half_uploaded_is_dropped_by_the_next_process(
        self, hub: Hub, tmp_path: Path, listening: socket.socket
    ) -> None:
        create(hub)
        job = claim(hub, register(hub)).json()
        beat(hub, job)
        port = int(hub.url.rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port)) as line:
            head = (
                f"PUT /v1/jobs/{job['job_id']}/parts/{'0' * 64} HTTP/1.1\r\nHost: hub\r\n"
                f"Authorization: Bearer {hub.agent_token}\r\nAlectio-Protocol: 1\r\n"
                f"Alectio-Lease: {job['lease']}\r\nContent-Length: 9999\r\n\r\n"
            )
            line.sendall(head.encode() + b"half of it")
            while not list((tmp_path / "hub").rglob(".*.arriving")):
                hub.call("GET", "/v1/platform")
            hub.kill()
        again = Hub.embedded(tmp_path / "hub", listening)
        try:
            assert list((tmp_path / "hub").rglob(".*.arriving")) == []
        finally:
            again.kill()


def about(hub: Hub, job: dict[str, Any], method: str, path: str, body: Any) -> requests.Response:
    """A call about a job, with its lease."""
    return hub.call(method, f"/v1/jobs/{job['job_id']}/{path}", body, Alectio_Lease=job["lease"])


def beat(hub: Hub, job: dict[str, Any]) -> requests.Response:
    answer = about(hub, job, "POST", "heartbeat", {"step": "train"})
    assert answer.status_code == 200, answer.text
    return answer


class TestBadCalls:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"\x00\x01",
            b"<html></html>",
            b'{"agent_id": ',
            b"[" * 100_000,
            b'{"a": ' * 100_000,
            b'{"agent_id": NaN}',
            b'{"seq": 1' + b"0" * 5000 + b"}",
            b'{"agent_id": "\xed\xa0\x80"}',
            b"[1, 2, 3]",
            b"null",
        ],
        ids=lambda body: repr(body[:20]),
    )
    def test_a_body_that_is_no_record_is_refused_and_the_hub_lives(
        self, shared_hub: Hub, body: bytes
    ) -> None:
        answer = shared_hub.call("POST", "/v1/claims", body)
        assert (answer.status_code, problem(answer)) == (422, "invalid")

    def test_a_body_without_end_is_cut_off(self, shared_hub: Hub) -> None:
        def without_end() -> Iterator[bytes]:
            for _ in range(200):
                yield b" " * 2**16

        answer = requests.post(
            shared_hub.url + "/v1/claims",
            data=without_end(),
            headers={
                "Authorization": f"Bearer {shared_hub.agent_token}",
                "Alectio-Protocol": "1",
            },
            timeout=60,
        )
        assert problem(answer) == "invalid"
        assert "8388608 bytes" in answer.json()["detail"]

    def test_a_small_body_that_unpacks_to_a_large_one_is_refused(self, shared_hub: Hub) -> None:
        bomb = gzip.compress(b" " * 20_000_000)
        answer = shared_hub.call("POST", "/v1/claims", bomb, Content_Encoding="gzip")
        assert problem(answer) == "invalid"

    @pytest.mark.parametrize(
        "path", ["/nothing", "/v1/claims", "/docs", "/v1/../etc/passwd", "/%00"]
    )
    def test_what_is_not_served_is_not_found(self, shared_hub: Hub, path: str) -> None:
        assert problem(shared_hub.call("GET", path)) == "not-found"

    def test_an_agent_that_is_not_known_must_register(self, shared_hub: Hub) -> None:
        assert problem(claim(shared_hub, "nobody", wait_s=0)) == "unknown-agent"

    def test_a_job_that_is_not_known_is_a_lost_lease(self, shared_hub: Hub) -> None:
        job = {"job_id": "nothing", "lease": "nothing"}
        answer = about(shared_hub, job, "POST", "heartbeat", {})
        assert problem(answer) == "lease-lost"

    def test_bytes_that_are_no_request_are_answered_without_harm(self, shared_hub: Hub) -> None:
        port = int(shared_hub.url.rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(b"\x16\x03\x01\x02\x00 hello, is this TLS?\r\n\r\n")
            assert line.recv(1000).startswith(b"HTTP/1.1 400")
        assert shared_hub.call("GET", "/v1/platform").status_code == 200

    def test_a_wrong_token_is_told_so(self, shared_hub: Hub) -> None:
        answer = shared_hub.call("GET", "/v1/platform", token="alt_wrong")
        assert (answer.status_code, problem(answer)) == (401, "unauthorized")


@pytest.fixture(scope="module")
def shared_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """For tests that change nothing in it."""
    with listening_socket() as bound:
        started = Hub.embedded(tmp_path_factory.mktemp("shared") / "hub", bound)
        yield started
        code, told = started.stop()
        assert (code, "Traceback" in told) == (0, False)


class TestCommands:
    """`hub token` and `experiment` against a hub that runs, and one that sleeps."""

    def test_a_token_is_printed_alone_on_stdout(self, hub: Hub, tmp_path: Path) -> None:
        made = run_cli("hub", "token", "create", "gpu01", "--data", tmp_path / "hub")
        token = made.stdout.strip()
        assert "\n" not in token
        assert hub.call("GET", "/v1/platform", token=token).json()["scope"] == "agent"

    def test_a_token_can_be_made_while_the_hub_sleeps(
        self, hub: Hub, tmp_path: Path, listening: socket.socket
    ) -> None:
        hub.stop()
        words = ("--scope", "viewer", "--expires", "30d", "--json", "--data", tmp_path / "hub")
        made = json.loads(run_cli("hub", "token", "create", "boss", *words).stdout)
        assert made["expires_at"] > "2026"
        again = Hub.embedded(tmp_path / "hub", listening)
        try:
            answer = again.call("GET", "/v1/platform", token=made["token"])
            assert answer.json()["scope"] == "viewer"
        finally:
            again.kill()

    def test_a_name_that_is_taken_is_a_wrong_use(self, hub: Hub, tmp_path: Path) -> None:
        words = ("hub", "token", "create", "gpu01", "--data", tmp_path / "hub")
        run_cli(*words)
        again = run_cli(*words, expect=2)
        assert "exists already" in again.stderr
        assert again.stdout == ""

    def test_an_experiment_from_its_file_to_its_table(self, hub: Hub, tmp_path: Path) -> None:
        file, token_file = tmp_path / "experiment.yaml", tmp_path / "operator"
        file.write_text(json.dumps(EXPERIMENT))
        token_file.write_text(hub.operator_token + "\n")
        token_file.chmod(0o600)
        where = ("--hub", hub.url, "--token-file", token_file)
        made = run_cli("experiment", "create", file, *where)
        assert "digits: running, 2 loops" in made.stdout
        named = f"--hub {hub.url} --token-file {token_file}"
        assert f"Watch it: alectio-agent experiment show digits {named}" in made.stderr
        assert "digits" in run_cli("experiment", "list", *where).stdout
        claim(hub, register(hub))
        table = run_cli("experiment", "show", "digits", *where).stdout
        assert [line.split()[:2] for line in table.splitlines() if line.strip()[:1] == "0"] == [
            ["0", "3"]
        ]
        shown = json.loads(run_cli("experiment", "show", "digits", "--json", *where).stdout)
        assert shown["loops"][0]["labels"] == 3

    def test_an_unknown_experiment_is_a_wrong_use(self, hub: Hub, tmp_path: Path) -> None:
        token_file = tmp_path / "operator"
        token_file.write_text(hub.operator_token)
        token_file.chmod(0o600)
        where = {"ALECTIO_HUB": hub.url, "ALECTIO_HUB_TOKEN_FILE": str(token_file)}
        done = run_cli("experiment", "show", "nope", expect=2, **where)
        assert "nope" in done.stderr

    def test_a_hub_that_does_not_answer_is_worth_another_try(self, tmp_path: Path) -> None:
        token_file = tmp_path / "operator"
        token_file.write_text("x")
        token_file.chmod(0o600)
        with socket.create_server(("127.0.0.1", 0)) as closed_soon:
            url = f"http://127.0.0.1:{closed_soon.getsockname()[1]}"
        where = ("--hub", url, "--token-file", token_file)
        done = run_cli("experiment", "list", *where, expect=75)
        assert "refused" in done.stderr

    def test_a_token_without_the_right_ends_with_77(self, hub: Hub, tmp_path: Path) -> None:
        token_file = tmp_path / "viewer"
        made = run_cli("hub", "token", "create", "v", "--scope", "viewer", "--data",
                       tmp_path / "hub")  # fmt: skip
        token_file.write_text(made.stdout)
        token_file.chmod(0o600)
        file = tmp_path / "experiment.yaml"
        file.write_text(json.dumps(EXPERIMENT))
        where = ("--hub", hub.url, "--token-file", token_file)
        done = run_cli("experiment", "create", file, *where, expect=77)
        assert "scope viewer" in done.stderr


def run_cli(
    *words: object, expect: int = 0, **environment: str
) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ALECTIO_")}
    done = subprocess.run(
        [sys.executable, "-m", "alectio_agent", *map(str, words)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        env={**clean, **environment},
    )  # fmt: skip
    assert done.returncode == expect, done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_a_signal_while_nothing_is_going_on_ends_the_hub_clean(hub: Hub) -> None:
    assert hub.stop(signal.SIGINT) == (0, "")

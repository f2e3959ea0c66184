"""What people read when the other side speaks another protocol, or is no platform at all."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from alectio_agent.cli.main import main
from alectio_agent.wire.protocol import PROBLEM_MEDIA_TYPE
from tests.support.projects import run_command

HOOKS = """
def train(payload): return None
def test(payload): return {"predictions": {}, "labels": {}}
def infer(payload): return {"outputs": {}}
"""


class Peer(BaseHTTPRequestHandler):
    """Answers everything the same."""

    status, media_type, content = 200, "text/html", b"<html>Welcome</html>"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.send_response(self.status)
        self.send_header("content-type", self.media_type)
        self.send_header("content-length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def speaks(lowest: int, highest: int) -> dict[str, object]:
    document = {"type": "unsupported-protocol", "status": 426, "min": lowest, "max": highest}
    content = json.dumps(document).encode()
    return {"status": 426, "media_type": PROBLEM_MEDIA_TYPE, "content": content}


@pytest.fixture
def peer(request: pytest.FixtureRequest) -> Iterator[str]:
    kind = type("Said", (Peer,), getattr(request, "param", {}))
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text("alt_" + "x" * 43)
    file.chmod(0o600)
    return file


def ask(peer: str, token: Path) -> Result:
    words = ["experiment", "list", "--hub", peer, "--token-file", str(token)]
    return CliRunner().invoke(main, words)


@pytest.mark.parametrize("peer", [speaks(2, 3)], indirect=True)
def test_a_command_that_is_older_than_its_hub_says_how_to_update_itself(
    peer: str, token: Path
) -> None:
    result = ask(peer, token)
    assert result.exit_code == 78
    assert "E-HUB-06  the platform speaks protocols 2 to 3, this agent speaks 1" in result.stderr
    assert "Update the agent: pip install -U alectio-agent" in result.stderr


@pytest.mark.parametrize("peer", [speaks(0, 0)], indirect=True)
def test_a_hub_that_is_older_is_to_be_updated(peer: str, token: Path) -> None:
    result = ask(peer, token)
    assert result.exit_code == 78
    assert "Update the hub, on its machine: pip install -U 'alectio-agent[hub]'" in result.stderr


def test_a_web_server_is_doubted_by_its_address(peer: str, token: Path) -> None:
    result = ask(peer, token)
    assert result.exit_code == 75
    assert "E-NET-02  HTTP 200 that is not the platform's" in result.stderr
    assert "Is that the address of an Alectio platform?" in result.stderr


@pytest.mark.parametrize("peer", [speaks(2, 2)], indirect=True)
def test_an_agent_that_somebody_waits_for_ends_with_that_message(
    peer: str, token: Path, tmp_path: Path
) -> None:
    (tmp_path / "processes.py").write_text(HOOKS)
    (tmp_path / "agent.yaml").write_text(
        f"platform: {{url: '{peer}', token_file: {token}}}\n"
        "pipelines: {digits: {hooks: processes.py, pool_size: 4}}\n"
    )
    done = run_command("run", "--once", cwd=tmp_path)
    assert done.returncode == 78, done.stderr
    assert "the platform speaks protocol 2, this agent speaks 1" in done.stderr
    assert "pip install -U alectio-agent" in done.stderr

"""A hub that is no friend: what it names and sends must not reach beyond what was asked for."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from alectio_agent.cli.main import main
from alectio_agent.wire.results_files import SMALL_FILES, media_type_of

ESCAPING = "outputs/../../../reached.txt"


class Hostile(BaseHTTPRequestHandler):
    """Lists a results file outside the experiment's folder, and has content for it."""

    def do_GET(self) -> None:
        if self.path.endswith("/results/digits/"):
            moment = "2026-11-25T00:00:00.000Z"
            paths = [*SMALL_FILES, ESCAPING]
            files = [{"path": path, "bytes": 3, "modified_at": moment} for path in paths]
            content = json.dumps({"experiment": "digits", "files": files}).encode()
            self._send(content, "application/json")
        else:
            self._send(b"abc", media_type_of(self.path))

    def _send(self, content: bytes, media_type: str) -> None:
        self.send_response(200)
        self.send_header("content-type", media_type)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hostile() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_export_writes_nothing_outside_its_folder(hostile: str, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("alt_" + "x" * 43)
    token.chmod(0o600)
    where = ["--hub", hostile, "--token-file", str(token), "--output", str(tmp_path / "a" / "b")]
    result = CliRunner().invoke(main, ["experiment", "export", "digits", "--outputs", *where])
    assert result.exit_code == 75
    assert "E-NET-02" in result.stderr
    assert "files.5.path" in result.stderr
    assert "Traceback" not in result.output
    assert list(tmp_path.rglob("*")) == [token]

"""Results files over HTTP: the same files under the same paths, for those who may read."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import insert

from alectio_agent.hub.api.app import create_app
from alectio_agent.hub.store.tables import experiments
from tests.support.asgi import Answer, call
from tests.support.hub_fakes import AGENT_TOKEN, VIEWER_TOKEN, HubScene

pytestmark = pytest.mark.anyio

CONTENTS = {
    "experiment.json": b"{}\n",
    "loops.csv": b"loop,labels\n0,30\n",
    "report.html": b"<!doctype html>",
    "outputs/loop_3.npz": b"PK",
    "outputs/loop_4.ndjson.gz": b"\x1f\x8b",
    ".made.json": b"{}",
    "outputs/.loop_5.npz.new": b"half",
    "my notes.txt": b"of a person who looked in",
}
ROW: dict[str, Any] = {
    "experiment_id": "e1", "name": "digits", "settings": "{}", "state": "running", "reason": "",
    "priority": 0, "is_over": False, "ending": "", "version": 1, "created_at": "2026",
}  # fmt: skip


class Api(HubScene):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.app: FastAPI = create_app(self.services)
        self.folder = self.services.results / "digits"
        for path, content in CONTENTS.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_bytes(content)
        self.services.store.write(lambda tx: tx.execute(insert(experiments), ROW)).result()

    async def get(
        self, path: str, token: str = VIEWER_TOKEN, method: str = "GET", **headers: str
    ) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {"authorization": f"Bearer {token}", **named}
        return await call(self.app, method, path, headers=given, chunks=[])


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    made = Api(tmp_path)
    yield made
    made.store.close()


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("experiment.json", "application/json"),
        ("loops.csv", "text/csv; charset=utf-8"),
        ("report.html", "text/html; charset=utf-8"),
        ("outputs/loop_3.npz", "application/x-npz"),
        ("outputs/loop_4.ndjson.gz", "application/gzip"),
    ],
)
async def test_a_viewer_reads_each_file_without_the_protocol_header(
    api: Api, path: str, media_type: str
) -> None:
    """`pandas.read_csv` on the URL is all the client that anyone needs."""
    answer = await api.get(f"/results/digits/{path}")
    assert (answer.status, answer.body) == (200, CONTENTS[path])
    assert answer.headers["content-type"] == media_type
    assert answer.headers["content-length"] == str(len(CONTENTS[path]))


async def test_the_list_names_what_people_see(api: Api) -> None:
    told = (await api.get("/results/digits/")).json
    assert told["experiment"] == "digits"
    assert [file["path"] for file in told["files"]] == [
        "experiment.json", "loops.csv", "outputs/loop_3.npz", "outputs/loop_4.ndjson.gz",
        "report.html",
    ]  # fmt: skip
    assert told["files"][1]["bytes"] == 17


async def test_an_experiment_without_files_has_an_empty_list(api: Api, tmp_path: Path) -> None:
    row = {**ROW, "experiment_id": "e2", "name": "new"}
    api.services.store.write(lambda tx: tx.execute(insert(experiments), row)).result()
    assert (await api.get("/results/new/")).json["files"] == []


async def test_a_list_of_an_unknown_experiment_is_not_found(api: Api) -> None:
    assert (await api.get("/results/nothing/")).problem == "not-found"


@pytest.mark.parametrize("path", ["classes.csv", "outputs/loop_9.npz", "outputs", "loops.csv/x"])
async def test_a_file_that_is_not_there_is_not_found(api: Api, path: str) -> None:
    assert (await api.get(f"/results/digits/{path}")).problem in ("not-found", "invalid")


@pytest.mark.parametrize(
    "path",
    [
        "/results/../hub.db",
        "/results/digits/..",
        "/results/digits/../../hub.db",
        "/results/digits/outputs/../../../hub.db",
        "/results/digits/%2e%2e/%2e%2e/hub.db",
        "/results/digits/..%2f..%2fhub.db",
        "/results/digits//etc/passwd",
        "/results/digits/.made.json",
        "/results/digits/outputs/.loop_5.npz.new",
        "/results/digits/more/loops.csv",
        "/results/.hidden/",
    ],
)
async def test_no_path_leads_out_of_the_results(api: Api, path: str) -> None:
    (api.services.results.parent / "hub.db").write_text("secret")
    answer = await api.get(path)
    assert answer.problem in ("invalid", "not-found")


async def test_a_file_that_did_not_change_is_not_sent_again(api: Api) -> None:
    first = await api.get("/results/digits/loops.csv")
    again = await api.get("/results/digits/loops.csv", if_none_match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    (api.folder / "loops.csv").write_bytes(b"loop,labels\n0,30\n1,60\n")
    changed = await api.get("/results/digits/loops.csv", if_none_match=first.headers["etag"])
    assert (changed.status, len(changed.body)) == (200, 22)


async def test_a_report_runs_without_the_hubs_cookies(api: Api) -> None:
    """Names in it come from everywhere; it is served by the machine that can cancel experiments."""
    headers = (await api.get("/results/digits/report.html")).headers
    assert "sandbox" in headers["content-security-policy"]
    assert "allow-same-origin" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


async def test_an_agent_reads_no_results(api: Api) -> None:
    for path in ("/results/digits/", "/results/digits/loops.csv"):
        assert (await api.get(path, token=AGENT_TOKEN)).problem == "forbidden"


async def test_head_tells_size_and_age_without_the_file(api: Api) -> None:
    """Download programs and caches ask so before they read."""
    got = await api.get("/results/digits/loops.csv")
    looked = await api.get("/results/digits/loops.csv", method="HEAD")
    assert (looked.status, looked.body) == (200, b"")
    assert looked.headers == got.headers
    assert (await api.get("/results/digits/", method="HEAD")).status == 200
    assert (await api.get("/results/digits/none.csv", method="HEAD")).status == 404
    refused = await api.get("/results/digits/loops.csv", token=AGENT_TOKEN, method="HEAD")
    assert refused.status == 403

"""Labels by people in a real browser: fetched, filled in, brought, refused when they are wrong."""

import csv
import io
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import Watched, open_page
from tests.support.hub_agent import HubAgent, create_experiment
from tests.support.hub_process import Hub

SLOW_MS = 20_000
expect.set_options(timeout=SLOW_MS)  # machines that test are busy
ASKED = {"labels": {"kind": "csv"}}
PAGE = "/experiments/digits/labels"
HEAD = b"index,label\n"


@pytest.fixture
def box(tmp_path: Path, listening: socket.socket) -> Iterator[Hub]:
    started = Hub.embedded(tmp_path / "hub", listening)
    begin(started)
    yield started
    started.kill()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Hub]:
    started = Hub.served(tmp_path / "hub")
    started.agent_token = make_token(started, "gpu01", "agent")
    begin(started)
    yield started
    started.kill()


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    with open_page(browser) as opened:
        opened.page.set_default_timeout(SLOW_MS)
        yield opened


def begin(hub: Hub) -> None:
    """An experiment whose first batch people are asked for."""
    HubAgent(hub)
    create_experiment(hub, **ASKED)
    view: dict[str, Any] = {"version": 0, "loops": []}
    while not any(loop["state"] == "labelling" for loop in view["loops"]):
        after = f"?after={view['version']}&wait_s=20"
        view = hub.operate("GET", f"/v1/experiments/digits{after}").json()


def make_token(hub: Hub, name: str, scope: str) -> str:
    answer = hub.operate("POST", "/v1/tokens", {"name": name, "scope": scope})
    return str(answer.json()["token"])


def sign_in(page: Page, hub: Hub, token: str, path: str) -> None:
    page.goto(hub.url + path)
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(hub.url + path)


def queue(hub: Hub) -> dict[str, Any]:
    found: dict[str, Any] = hub.operate("GET", "/v1/experiments/digits/labels?all=true").json()
    return found


def asked(hub: Hub) -> list[int]:
    return [sample["index"] for sample in queue(hub)["samples"] if sample["status"] == "asked"]


def filled_in(hub: Hub, label: str = "1") -> bytes:
    return HEAD + b"".join(f"{index},{label}\n".encode() for index in asked(hub))


def upload(page: Page, content: bytes) -> None:
    file: Any = {"name": "todo.csv", "mimeType": "text/csv", "buffer": content}
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Send the file").click()


class TestBringing:
    def test_a_file_lets_the_loop_go_on_without_a_reload(self, box: Hub, watched: Watched) -> None:
        page = watched.page
        page.goto(box.url + PAGE)
        expect(page.locator("#state")).to_contain_text("labels of 4 of 4 samples of loop 0")
        expect(page.locator("#asked tbody tr")).to_have_count(4)
        page.evaluate("window.isTheSamePage = true")
        upload(page, filled_in(box))
        expect(page.locator("#outcome")).to_contain_text(
            "4 new, 0 corrected, 0 unchanged, 0 excluded; 0 of 4 samples of loop 0 are missing"
        )
        expect(page.locator("#outcome")).to_contain_text("Loop 0 has its labels and runs next.")
        expect(page.locator("#asked")).to_contain_text("No label is missing")
        assert page.evaluate("window.isTheSamePage")
        assert queue(box)["loops"][0]["state"] == "available"
        assert not watched.errors, watched.errors

    def test_the_page_of_the_experiment_says_what_it_waits_for(
        self, box: Hub, watched: Watched
    ) -> None:
        page = watched.page
        page.goto(box.url + "/experiments/digits")
        expect(page.locator("#state")).to_contain_text("waits for labels")
        expect(page.locator("#state")).to_contain_text("labels of 4 of 4 samples of loop 0, since")
        expect(page.locator("#job")).to_contain_text("waits for labels")
        page.get_by_role("link", name="Get the file and bring labels").click()
        expect(page.locator("h1")).to_have_text("Labels of digits")
        page.get_by_role("link", name="Labels", exact=True).first.click()
        expect(page.locator("#list")).to_contain_text("0 of 4")
        page.goto(box.url + "/?state=labelling")
        expect(page.locator("#list")).to_contain_text("digits")
        page.goto(box.url + "/?state=running")
        expect(page.locator("#list")).to_contain_text("None of 1 experiments fits")
        page.goto(box.url + "/labels")
        page.get_by_role("link", name="digits", exact=True).click()
        expect(page.locator("h1")).to_have_text("Labels of digits")

    def test_a_wrong_file_is_refused_with_its_lines_and_nothing_changes(
        self, box: Hub, watched: Watched
    ) -> None:
        """What the file itself lacks and what only the hub knows, in one answer."""
        page, first = watched.page, asked(box)[0]
        never = next(index for index in range(40) if index not in asked(box))
        page.goto(box.url + PAGE)
        upload(page, HEAD + f"{first},1\n{never},1\nx,1\n{first},0\n".encode())
        told = page.get_by_role("alert")
        expect(told).to_contain_text("3 places are wrong. Nothing was imported")
        expect(told).to_contain_text(f"line 3: index: sample {never} was never asked for")
        expect(told).to_contain_text("line 4: index: found 'x', expected a whole number")
        expect(told).to_contain_text(f"line 5: index: found {first} a second time")
        assert len(asked(box)) == 4

    def test_of_a_file_with_one_wrong_line_nothing_is_taken(
        self, box: Hub, watched: Watched
    ) -> None:
        """Also where the platform finds nothing wrong with the lines that can be read."""
        watched.page.goto(box.url + PAGE)
        upload(watched.page, filled_in(box) + b"x,1\n")
        told = watched.page.get_by_role("alert")
        expect(told).to_contain_text("1 place is wrong. Nothing was imported")
        expect(told).to_contain_text("line 6: index: found 'x'")
        assert len(asked(box)) == 4

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            (b"", "found no heading"),
            (b"PK\x03\x04rest of a spreadsheet", "save it as CSV UTF-8"),
            ("index,label\n1,a\n".encode("utf-16"), "found UTF-16"),
            (b"index,lable\n1,1\n", "Is it `lable`?"),
        ],
    )
    def test_what_is_no_table_is_named(
        self, box: Hub, watched: Watched, content: bytes, told: str
    ) -> None:
        watched.page.goto(box.url + PAGE)
        upload(watched.page, content)
        expect(watched.page.get_by_role("alert")).to_contain_text(told)

    def test_corrections_and_repetitions_are_told_apart(self, box: Hub, watched: Watched) -> None:
        page, (first, second, *_) = watched.page, asked(box)
        page.goto(box.url + PAGE)
        upload(page, HEAD + f"{first},1\n{second},-\n".encode())
        expect(page.locator("#outcome")).to_contain_text("1 new, 0 corrected, 0 unchanged, 1 excl")
        upload(page, HEAD + f"{first},0\n{second},-\n".encode())
        expect(page.locator("#outcome")).to_contain_text("0 new, 1 corrected, 1 unchanged, 0 excl")

    def test_without_javascript_lines_are_pasted_and_kept_when_they_are_wrong(
        self, box: Hub, browser: Browser
    ) -> None:
        with open_page(browser, java_script_enabled=False) as watched:
            page = watched.page
            page.goto(box.url + PAGE)
            expect(page.get_by_role("button", name="Send the file")).to_be_hidden()
            page.get_by_text("Paste them").click()
            page.get_by_label("Lines of the file").fill("index,label\nx,<b>\n")
            page.get_by_role("button", name="Send these lines").click()
            expect(page.get_by_role("alert")).to_contain_text("line 2: index: found 'x'")
            lines = page.get_by_label("Lines of the file")
            expect(lines).to_have_value("index,label\nx,<b>\n")
            lines.fill(filled_in(box).decode())
            page.get_by_role("button", name="Send these lines").click()
            expect(page.locator("#outcome")).to_contain_text("4 new")
        assert asked(box) == []

    def test_an_experiment_that_was_cancelled_takes_none(self, box: Hub, watched: Watched) -> None:
        page, content = watched.page, filled_in(box)
        page.goto(box.url + PAGE)
        box.operate("POST", "/v1/experiments/digits/cancel")
        upload(page, content)
        expect(page.locator("#outcome")).to_contain_text("cancelled")
        page.reload()
        expect(page.get_by_role("button", name="Send the file")).to_have_count(0)

    def test_nothing_is_wider_than_a_telephone(self, box: Hub, browser: Browser) -> None:
        with open_page(browser, width=400, height=800) as watched:
            for path in ("/labels", PAGE):
                watched.page.goto(box.url + path)
                width = watched.page.evaluate("document.documentElement.scrollWidth")
                assert width <= 400, path


class TestFiles:
    def test_the_file_is_the_one_that_the_command_writes(self, served: Hub) -> None:
        first = asked(served)[0]
        bring(served, {first: 1})
        cookies = session_of(served, served.operator_token)
        for query, count in (("", 3), ("?all=1", 4), ("?all=0", 3)):
            answer = looked_at(served, cookies, "/labels/digits.csv" + query)
            assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
            assert answer.headers["Content-Disposition"] == 'attachment; filename="digits.csv"'
            rows = list(csv.DictReader(io.StringIO(answer.text)))
            assert len(rows) == count
            assert list(rows[0])[:4] == ["index", "name", "loop", "label"]

    def test_a_viewer_may_fetch_it_and_nobody_else(self, served: Hub) -> None:
        viewer = session_of(served, make_token(served, "eve", "viewer"))
        assert looked_at(served, viewer, "/labels/digits.csv").status_code == 200
        assert looked_at(served, {}, "/labels/digits.csv").status_code == 303

    def test_experiments_that_ask_nobody_have_none(self, served: Hub) -> None:
        create_experiment(served, "known")
        cookies = session_of(served, served.operator_token)
        for name, status in (("known", 409), ("unknown", 404)):
            for path in (f"/labels/{name}.csv", f"/experiments/{name}/labels"):
                answer = looked_at(served, cookies, path)
                assert answer.status_code == status, path
        assert "known" not in looked_at(served, cookies, "/labels").text.split("<main")[1]


class TestWhoMay:
    def test_a_viewer_has_no_form_and_a_forged_one_is_refused(
        self, served: Hub, watched: Watched
    ) -> None:
        page = watched.page
        sign_in(page, served, make_token(served, "eve", "viewer"), PAGE)
        expect(page.locator("#asked tbody tr")).to_have_count(4)
        expect(page.locator("main form, main textarea")).to_have_count(0)
        key = page.locator("input[name=form_key]").first.get_attribute("value")
        statuses = page.evaluate(
            """async ([path, key, lines]) => {
                const send = async (headers, body) =>
                    (await fetch(path, {method: "POST", headers, body})).status;
                return [
                    await send({"Content-Type": "text/csv", "X-Form-Key": key}, lines),
                    await send({}, new URLSearchParams({form_key: key, labels: lines})),
                ];
            }""",
            [PAGE, key, filled_in(served).decode()],
        )
        assert statuses == [403, 403]
        assert len(asked(served)) == 4

    @pytest.mark.parametrize("key", ["", "0" * 64])
    def test_a_file_without_the_sessions_key_is_refused(self, box: Hub, key: str) -> None:
        cookies = looked_at(box, {}, PAGE).cookies.get_dict()
        headers = {"Origin": box.url, "Content-Type": "text/csv", "X-Form-Key": key}
        answer = requests.post(
            box.url + PAGE, data=filled_in(box), headers=headers, cookies=cookies, timeout=30
        )
        assert answer.status_code == 403
        assert len(asked(box)) == 4

    def test_a_file_from_another_site_is_refused(self, box: Hub) -> None:
        page = looked_at(box, {}, PAGE)
        key = page.text.split('name="form_key" value="')[1].split('"')[0]
        headers = {"Origin": "http://evil.example", "Content-Type": "text/csv", "X-Form-Key": key}
        answer = requests.post(
            box.url + PAGE, data=filled_in(box), headers=headers,
            cookies=page.cookies.get_dict(), timeout=30,
        )  # fmt: skip
        assert answer.status_code == 403
        assert len(asked(box)) == 4


def bring(hub: Hub, labels: dict[int, int]) -> None:
    rows = [{"index": index, "label": label} for index, label in labels.items()]
    assert hub.operate("POST", "/v1/experiments/digits/labels", {"rows": rows}).ok


def session_of(hub: Hub, token: str) -> dict[str, str]:
    answer = requests.post(
        hub.url + "/sign-in", data={"token": token}, headers={"Origin": hub.url},
        timeout=30, allow_redirects=False,
    )  # fmt: skip
    found: dict[str, str] = answer.cookies.get_dict()
    return found


def looked_at(hub: Hub, cookies: dict[str, str], path: str) -> requests.Response:
    return requests.get(
        hub.url + path, cookies=cookies, timeout=30, allow_redirects=False,
        headers={"Accept": "text/html"},
    )  # fmt: skip

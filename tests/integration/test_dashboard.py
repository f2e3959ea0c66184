"""The dashboard in a real browser, over a real hub: it shows, it acts, and lets nobody else act."""

import re
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
MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture
def box(tmp_path: Path, listening: socket.socket) -> Iterator[Hub]:
    """The hub in the box, as `run` starts it."""
    started = Hub.embedded(tmp_path / "hub", listening)
    yield started
    started.kill()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Hub]:
    """A hub that people sign in at."""
    started = Hub.served(tmp_path / "hub")
    started.agent_token = make_token(started, "gpu01", "agent")
    yield started
    started.kill()


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    with open_page(browser) as opened:
        opened.page.set_default_timeout(SLOW_MS)
        yield opened


def make_token(hub: Hub, name: str, scope: str) -> str:
    answer = hub.operate("POST", "/v1/tokens", {"name": name, "scope": scope})
    return str(answer.json()["token"])


def sign_in(page: Page, hub: Hub, token: str, path: str = "/") -> None:
    page.goto(hub.url + path)
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()


def state_of(hub: Hub, name: str = "digits") -> str:
    return str(hub.operate("GET", f"/v1/experiments/{name}").json()["state"])


def is_quiet(watched: Watched) -> bool:
    return not watched.errors and not watched.foreign_hosts


class TestBox:
    def test_all_pages_open_without_an_error_or_a_foreign_request(
        self, box: Hub, watched: Watched
    ) -> None:
        agent = HubAgent(box)
        create_experiment(box)
        agent.run_loop()
        for path in ("/", "/experiments/digits", "/agents", "/labels", "/tokens"):
            watched.page.goto(box.url + path)
            expect(watched.page.locator("h1")).to_be_visible()
        assert is_quiet(watched), (watched.errors, watched.foreign_hosts)

    def test_a_finished_loop_appears_without_a_reload(self, box: Hub, watched: Watched) -> None:
        agent = HubAgent(box)
        create_experiment(box)
        page = watched.page
        page.goto(box.url + "/experiments/digits")
        expect(page.locator("#facts")).to_contain_text("1 of 5")
        page.evaluate("window.isTheSamePage = true")
        agent.run_loop()
        expect(page.locator("#facts")).to_contain_text("2 of 5")
        expect(page.locator("#facts")).to_contain_text("8 of 40")
        assert page.evaluate("window.isTheSamePage")
        assert is_quiet(watched), watched.errors

    def test_progress_in_memory_appears_without_a_commit(self, box: Hub, watched: Watched) -> None:
        agent = HubAgent(box)
        create_experiment(box)
        job = agent.claim()
        agent.beat(job, done=1, total=20)
        page = watched.page
        page.goto(box.url + "/experiments/digits")
        expect(page.locator("#job")).to_contain_text("1 of 20")
        agent.beat(job, done=7, total=20, numbers={"loss": 0.25})
        expect(page.locator("#job")).to_contain_text("7 of 20")
        expect(page.locator("#job")).to_contain_text("loss 0.25")

    def test_what_the_hooks_print_appears_and_is_followed(self, box: Hub, watched: Watched) -> None:
        """Also while nothing is committed and no beat comes."""
        agent = HubAgent(box)
        create_experiment(box)
        job = agent.claim()
        agent.beat(job)
        agent.log(job, 0, b"epoch 1\n")
        page = watched.page
        page.goto(box.url + "/experiments/digits")
        log = page.locator("#log .log")
        expect(log).to_contain_text("epoch 1")
        more = "".join(f"epoch {number}\n" for number in range(2, 100)) + "<b>last</b>\n"
        agent.log(job, len(b"epoch 1\n"), more.encode())
        expect(log).to_contain_text("<b>last</b>")
        below = "(log) => log.scrollHeight - log.clientHeight - log.scrollTop"
        assert log.evaluate(below) < 2, "whoever sees the end goes on seeing it"
        log.evaluate("(log) => { log.scrollTop = 0; }")
        agent.log(job, len(b"epoch 1\n") + len(more), b"later\n")
        expect(log).to_contain_text("later")
        assert log.evaluate("(log) => log.scrollTop") == 0, "whoever reads further up is left there"

    def test_a_report_tells_of_other_seeds_without_a_reload(
        self, box: Hub, watched: Watched
    ) -> None:
        agent = HubAgent(box)
        create_experiment(box, loops=1)
        agent.run_loop()
        page = watched.page
        page.goto(box.url + "/experiments/digits")
        expect(page.locator("#report")).to_contain_text("Learning curve")
        page.evaluate("window.isTheSamePage = true")
        create_experiment(box, "digits-2", loops=1, seed=1)
        agent.run_loop()
        expect(page.locator("#report")).to_contain_text("the shaded band holds 2 runs")
        assert page.evaluate("window.isTheSamePage")
        assert is_quiet(watched), watched.errors

    def test_pause_is_reached_by_keyboard_and_keeps_the_page_in_step(
        self, box: Hub, watched: Watched
    ) -> None:
        HubAgent(box)
        create_experiment(box)
        page = watched.page
        page.goto(box.url + "/experiments/digits")
        page.keyboard.press("Tab")
        expect(page.get_by_text("To the content")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.locator("#pause")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#state")).to_contain_text("paused")
        assert state_of(box) == "paused"
        page.get_by_role("button", name="Resume").click()
        expect(page.locator("#state")).to_contain_text("running")
        assert state_of(box) == "running"

    def test_retry_goes_on_after_a_failure(self, box: Hub, watched: Watched) -> None:
        agent = HubAgent(box)
        create_experiment(box)
        page = watched.page
        page.goto(box.url + "/experiments/digits")
        job = agent.claim()
        agent.beat(job)
        agent.fail(job, f"ValueError: {MARKUP}")
        expect(page.locator("#state")).to_contain_text("waits for a person")
        expect(page.locator("#attempts")).to_contain_text(MARKUP)
        page.get_by_role("button", name="Retry", exact=True).click()
        expect(page.locator("#state")).to_contain_text("running")
        assert agent.claim()["attempt"] == 2
        assert is_quiet(watched), watched.errors

    @pytest.mark.parametrize(
        ("button", "steps"),
        [("Retry", ["test", "infer"]), ("Retry from train", ["train", "test", "infer"])],
    )
    def test_retry_begins_where_it_says(
        self, box: Hub, watched: Watched, button: str, steps: list[str]
    ) -> None:
        agent = HubAgent(box)
        create_experiment(box)
        job = agent.claim()
        agent.beat(job)
        agent.deliver(job, upto="train")
        agent.fail(job, "ValueError: no such file", "test")
        watched.page.goto(box.url + "/experiments/digits")
        watched.page.get_by_role("button", name=button, exact=True).click()
        expect(watched.page.locator("#state")).to_contain_text("running")
        assert [order["step"] for order in agent.claim()["steps"]] == steps

    def test_all_results_files_are_linked(self, box: Hub, watched: Watched) -> None:
        agent = HubAgent(box)
        create_experiment(box)
        agent.run_loop()
        page = watched.page
        page.goto(box.url + "/experiments/digits")
        for file in ("report.html", "loops.csv", "classes.csv", "selected.csv", "experiment.json",
                     "outputs/loop_0.npz"):  # fmt: skip
            link = page.locator("#files").get_by_role("link", name=file)
            expect(link).to_be_visible()
            answer = page.request.get(f"{box.url}{link.get_attribute('href')}")
            assert answer.ok, (file, answer.status)

    def test_cancel_asks_once_more(self, box: Hub, watched: Watched) -> None:
        create_experiment(box)
        page = watched.page
        page.goto(box.url + "/experiments/digits")
        page.locator("#cancel").click()
        page.get_by_role("button", name="Keep it").click()
        assert state_of(box) == "running"
        page.locator("#cancel").click()
        page.get_by_role("button", name="Cancel the experiment").click()
        expect(page.locator("#state")).to_contain_text("cancelled")
        assert state_of(box) == "cancelled"

    def test_without_javascript_everything_can_be_read_and_cancelled(
        self, box: Hub, browser: Browser
    ) -> None:
        create_experiment(box)
        with open_page(browser, java_script_enabled=False) as watched:
            page = watched.page
            page.goto(box.url)
            page.get_by_role("link", name="digits").click()
            page.locator("#cancel").click()
            page.get_by_role("button", name="Cancel the experiment").click()
            expect(page.locator("#state")).to_contain_text("cancelled")

    def test_an_open_page_does_not_hold_up_the_stop(self, box: Hub, watched: Watched) -> None:
        with watched.page.expect_response(lambda answer: "/events" in answer.url):
            watched.page.goto(box.url)
        code, told = box.stop()
        assert (code, told) == (0, "")

    @pytest.mark.parametrize("path", ["/", "/agents", "/experiments/digits", "/tokens"])
    def test_nothing_is_wider_than_a_telephone(self, box: Hub, browser: Browser, path: str) -> None:
        agent = HubAgent(box, name="gpu-" + "long-name-" * 10)
        create_experiment(box, "digits")
        create_experiment(box, "n" * 64)
        agent.run_loop()
        with open_page(browser, width=400, height=800) as watched:
            watched.page.goto(box.url + path)
            width = watched.page.evaluate("document.documentElement.scrollWidth")
            assert width <= 400

    def test_markup_in_names_is_text(self, box: Hub, watched: Watched) -> None:
        agent = HubAgent(box, name=MARKUP, tags=[MARKUP], version=MARKUP)
        create_experiment(box, classes=[MARKUP, "</script><b>"], tags=[MARKUP])
        agent.fail(agent.claim(), MARKUP)
        for path in ("/", "/agents", "/experiments/digits"):
            watched.page.goto(box.url + path)
            expect(watched.page.locator("main img")).to_have_count(0)
        expect(watched.page.locator("#attempts")).to_contain_text(MARKUP)
        assert is_quiet(watched), watched.errors

    def test_figures_of_the_report_are_drawn(self, box: Hub, watched: Watched) -> None:
        """Plotly must draw under the page's policy, which refuses style sheets of its own."""
        agent = HubAgent(box)
        create_experiment(box)
        agent.run_loop()
        page = watched.page
        page.goto(box.url + "/experiments/digits")
        page.evaluate("""() => {
            const figure = document.createElement("div");
            figure.className = "figure";
            figure.dataset.figure = JSON.stringify({data: [{y: [1, 2, 3]}], layout: {title: "t"}});
            document.getElementById("report").append(figure);
            drawFigures(document.getElementById("report"));
        }""")
        expect(page.locator("#report .figure").last.locator("svg").first).to_be_visible()
        assert is_quiet(watched), watched.errors

    def test_a_results_file_opens_without_a_page_before_it(
        self, box: Hub, watched: Watched
    ) -> None:
        create_experiment(box)
        HubAgent(box).run_loop()
        page = watched.page
        page.goto(box.url + "/experiments/digits")
        expect(page.get_by_role("link", name="experiment.json")).to_be_visible(timeout=3 * SLOW_MS)
        page.context.clear_cookies()
        answer = page.goto(box.url + "/results/digits/experiment.json")
        assert answer is not None
        assert (answer.status, answer.json()["name"]) == (200, "digits")


class TestSignIn:
    def test_nobody_sees_anything_without_a_token(self, served: Hub, watched: Watched) -> None:
        create_experiment(served)
        watched.page.goto(served.url + "/experiments/digits")
        expect(watched.page.get_by_label("Token")).to_be_focused()
        assert "digits" not in (watched.page.text_content("main") or "")
        watched.page.get_by_label("Token").fill("alt_wrong")
        watched.page.get_by_role("button", name="Sign in").click()
        expect(watched.page.get_by_role("alert")).to_contain_text("does not open")

    def test_an_operator_comes_to_the_page_that_was_asked_for(
        self, served: Hub, watched: Watched
    ) -> None:
        create_experiment(served)
        sign_in(watched.page, served, served.operator_token, "/experiments/digits")
        expect(watched.page.locator("h1")).to_have_text("digits")
        (cookie,) = watched.page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
        assert served.operator_token not in cookie["value"]
        watched.page.get_by_role("button", name="Pause").click()
        expect(watched.page.locator("#state")).to_contain_text("paused")

    def test_an_agents_token_is_refused_with_a_reason(self, served: Hub, watched: Watched) -> None:
        sign_in(watched.page, served, served.agent_token)
        expect(watched.page.get_by_role("alert")).to_contain_text("an agent's token")

    def test_a_viewer_sees_everything_and_can_do_nothing(
        self, served: Hub, watched: Watched
    ) -> None:
        create_experiment(served)
        sign_in(watched.page, served, make_token(served, "eve", "viewer"), "/experiments/digits")
        expect(watched.page.locator("h1")).to_have_text("digits")
        expect(watched.page.locator("main form, #actions button, dialog")).to_have_count(0)
        expect(watched.page.get_by_role("link", name="Tokens")).to_have_count(0)
        answer = watched.page.goto(served.url + "/tokens")
        assert answer is not None
        assert answer.status == 403

    def test_a_viewers_forged_form_is_refused(self, served: Hub, watched: Watched) -> None:
        create_experiment(served)
        page = watched.page
        sign_in(page, served, make_token(served, "eve", "viewer"), "/experiments/digits")
        key = page.locator("input[name=form_key]").first.get_attribute("value")
        status = page.evaluate(
            """async (key) => (await fetch("/experiments/digits/pause", {method: "POST",
            body: new URLSearchParams({form_key: key})})).status""",
            key,
        )
        assert (status, state_of(served)) == (403, "running")

    def test_sign_out_ends_the_session_for_a_copied_cookie_too(
        self, served: Hub, watched: Watched
    ) -> None:
        sign_in(watched.page, served, served.operator_token)
        expect(watched.page.locator("h1")).to_have_text("Experiments")
        copied = cookies_of(watched)
        watched.page.get_by_role("button", name="Sign out").click()
        expect(watched.page.get_by_label("Token")).to_be_visible()
        assert cookies_of(watched) == {}
        assert looked_at(served, copied).status_code == 303

    def test_a_revoked_token_ends_its_sessions(self, served: Hub, watched: Watched) -> None:
        token = make_token(served, "eve", "viewer")
        sign_in(watched.page, served, token)
        expect(watched.page.locator("h1")).to_have_text("Experiments")
        served.operate("POST", "/v1/tokens/eve/revoke")
        # The page that is open notices by itself.
        expect(watched.page.get_by_label("Token")).to_be_visible(timeout=SLOW_MS)

    @pytest.mark.timeout(180)
    def test_a_restart_ends_no_session(self, tmp_path: Path, watched: Watched) -> None:
        first = Hub.served(tmp_path / "hub")
        token, port = first.operator_token, first.url.rsplit(":", 1)[1]
        sign_in(watched.page, first, token)
        expect(watched.page.locator("h1")).to_have_text("Experiments")
        first.stop()
        second = Hub.served(tmp_path / "hub", "--port", port)
        try:
            assert looked_at(second, cookies_of(watched)).status_code == 200
        finally:
            second.kill()

    def test_a_token_is_made_shown_once_and_revoked(self, served: Hub, watched: Watched) -> None:
        page = watched.page
        sign_in(page, served, served.operator_token, "/tokens")
        page.get_by_label("Name").fill("site-2")
        page.get_by_label("Good for").fill("30d")
        page.get_by_role("button", name="Make the token").click()
        made = page.locator("#token").text_content() or ""
        assert served.call("GET", "/v1/platform", token=made).json()["scope"] == "agent"
        page.goto(served.url + "/tokens")
        assert made not in page.content()
        page.get_by_role("link", name="revoke site-2").click()
        page.get_by_role("button", name="Revoke the token").click()
        expect(page.locator("tr", has_text="site-2")).to_contain_text("revoked")
        assert served.call("GET", "/v1/platform", token=made).status_code == 401

    def test_the_session_opens_results_and_nothing_of_the_api(
        self, served: Hub, watched: Watched
    ) -> None:
        create_experiment(served)
        HubAgent(served).run_loop()
        sign_in(watched.page, served, served.operator_token, "/experiments/digits")
        link = watched.page.get_by_role("link", name="loops.csv")
        expect(link).to_be_visible(timeout=SLOW_MS)
        cookies = cookies_of(watched)
        read = requests.get(f"{served.url}/results/digits/loops.csv", cookies=cookies, timeout=10)
        assert read.text.startswith("loop,")
        assert "sandbox" in read.headers["Content-Security-Policy"]
        for method, path in (("GET", "/v1/experiments"), ("POST", "/v1/experiments/digits/pause")):
            refused = requests.request(
                method, served.url + path, cookies=cookies, timeout=30,
                headers={"Alectio-Protocol": "1"},
            )  # fmt: skip
            assert refused.status_code == 401


class TestHeaders:
    @pytest.mark.parametrize(
        ("path", "status"),
        [("/", 200), ("/experiments/digits", 200), ("/experiments/digits/report", 200),
         ("/labels", 200), ("/tokens", 200), ("/experiments/nobody", 404), ("/nowhere", 404)],
    )  # fmt: skip
    def test_a_page_runs_no_script_but_ours_and_stands_in_no_other(
        self, box: Hub, path: str, status: int
    ) -> None:
        create_experiment(box)
        answer = looked_at(box, {}, path)
        assert answer.status_code == status
        policy = answer.headers["Content-Security-Policy"].split("; ")
        assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} <= set(policy)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cache-Control"] == "no-store"


class TestForeignRequests:
    @pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1:1", ""])
    def test_the_box_answers_to_its_own_address_only(self, box: Hub, host: str) -> None:
        """A page of another site may let its name point here."""
        port = box.url.rsplit(":", 1)[1]
        answer = looked_at(box, {}, Host=host.format(port=port))
        assert answer.status_code in (400, 403)
        assert "set-cookie" not in answer.headers

    @pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}"])
    def test_the_box_knows_its_own_names(self, box: Hub, host: str) -> None:
        port = box.url.rsplit(":", 1)[1]
        assert looked_at(box, {}, Host=host.format(port=port)).status_code == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"},
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {},
        ],
    )
    def test_a_form_of_another_site_is_refused(self, box: Hub, headers: dict[str, str]) -> None:
        create_experiment(box)
        page = looked_at(box, {}, path="/experiments/digits")
        key = re.search(r'name="form_key" value="([0-9a-f]+)"', page.text)
        assert key
        answer = requests.post(
            f"{box.url}/experiments/digits/pause", data={"form_key": key[1]}, headers=headers,
            cookies=page.cookies.get_dict(), timeout=30, allow_redirects=False,
        )  # fmt: skip
        assert (answer.status_code, state_of(box)) == (403, "running")

    @pytest.mark.parametrize("key", ["", "0" * 64])
    def test_a_form_without_the_sessions_key_is_refused(self, box: Hub, key: str) -> None:
        create_experiment(box)
        cookies = looked_at(box, {}).cookies.get_dict()
        answer = requests.post(
            f"{box.url}/experiments/digits/pause", data={"form_key": key}, cookies=cookies,
            headers={"Origin": box.url}, timeout=30, allow_redirects=False,
        )  # fmt: skip
        assert (answer.status_code, state_of(box)) == (403, "running")


def cookies_of(watched: Watched) -> dict[str, str]:
    return {
        str(cookie.get("name")): str(cookie.get("value"))
        for cookie in watched.page.context.cookies()
    }


def looked_at(
    hub: Hub, cookies: dict[str, str], path: str = "/", **headers: Any
) -> requests.Response:
    return requests.get(
        hub.url + path, cookies=cookies, timeout=30, allow_redirects=False,
        headers={"Accept": "text/html", **headers},
    )  # fmt: skip

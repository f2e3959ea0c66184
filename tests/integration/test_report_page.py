"""The report in a real browser: drawn, quiet, without network, in both schemes and on paper."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from alectio_agent.report.comparison import render_comparison
from alectio_agent.report.page import Told, render_body, render_page
from tests.support.browser import Watched, file_url, open_page
from tests.support.documents import make_document
from tests.support.wicked import WICKED, with_wicked_names

DRAWN = "document.querySelectorAll('.figure .main-svg').length"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of an experiment of 25 loops with everything."""
    document = make_document("topics", loops=25, classes=10, control="topics-control")
    document["loops"][-1]["warnings"]["train"] = ["loss is not finite"]
    control = make_document("topics-control", loops=25, classes=10, slope=0.6)
    siblings = [make_document(f"topics-{at}", loops=25, classes=10, slope=at) for at in (0.8, 1.2)]
    return write(tmp_path_factory.mktemp("report"), Told(document, control, siblings))


def write(folder: Path, told: Told) -> Path:
    file = folder / "report.html"
    file.write_text(render_page(told), encoding="utf-8")
    return file


def show(watched: Watched, file: Path) -> Page:
    """Open a page, until its last figure is drawn."""
    watched.page.goto(file_url(file))
    # Not `wait_for_function`: the page's own policy forbids what that evaluates.
    expect(watched.page.locator(".figure:not([hidden] *):not(:has(.main-svg))")).to_have_count(0)
    return watched.page


def colour(page: Page, selector: str, name: str) -> str:
    found: str = page.locator(selector).first.evaluate(
        f"element => getComputedStyle(element).{name}"
    )
    return found


def test_curves_are_drawn_without_a_word_on_the_console_or_a_request(
    browser: Browser, report: Path
) -> None:
    with open_page(browser) as watched:
        page = show(watched, report)
        # Band (two edges), mean, control, and the experiment itself.
        assert page.locator("#curve-0 .scatterlayer .trace").count() == 5
        assert page.locator("#curve-0 .scatterlayer .trace path.js-line").count() >= 4
        assert page.locator("#choice .barlayer .trace").count() == 2
        assert watched.errors == []
        assert watched.foreign_hosts == set()
        assert len(watched.hosts) == 1


def test_the_pages_own_policy_stops_a_request_and_a_foreign_script(
    browser: Browser, report: Path
) -> None:
    with open_page(browser) as watched:
        page = show(watched, report)
        page.evaluate("fetch('https://example.org/').catch(() => null)")
        page.evaluate(
            "() => {const it = document.createElement('script');"
            "it.textContent = 'window.hasRun = true'; document.body.append(it)}"
        )
        assert page.evaluate("window.hasRun") is None
        assert any("Content Security Policy" in error for error in watched.errors)


def test_a_button_shows_the_curve_of_its_metric(browser: Browser, report: Path) -> None:
    with open_page(browser) as watched:
        page = show(watched, report)
        assert not page.locator("#curve-1").is_visible()
        page.get_by_role("tab", name="macro F1").click()
        assert page.locator("#curve-1 .scatterlayer .trace").count() == 5
        assert not page.locator("#curve-0").is_visible()
        assert page.locator("#curve-1 .ytitle").text_content() == "macro F1"


def test_metrics_are_chosen_with_the_keyboard(browser: Browser, report: Path) -> None:
    with open_page(browser) as watched:
        page = show(watched, report)
        page.get_by_role("tab", name="accuracy").focus()
        page.keyboard.press("ArrowLeft")
        assert page.get_by_role("tab", selected=True).inner_text() == "recall"
        assert page.locator("#curve-3 .scatterlayer .trace").count() == 5
        page.keyboard.press("ArrowRight")
        assert page.get_by_role("tab", selected=True).inner_text() == "accuracy"
        for key, chosen in (("End", "recall"), ("a", "recall"), ("Home", "accuracy")):
            page.keyboard.press(key)
            assert page.get_by_role("tab", selected=True).inner_text() == chosen


def test_heads_of_the_matrix_keep_to_their_cells(browser: Browser, tmp_path: Path) -> None:
    """On a narrow page a name of wide letters ran over the first column of numbers."""
    document = make_document(classes=3, loops=2)
    document["settings"]["classes"] = ["WWWWWWWWWWWWWWWWWWWW", "\u5e83" * 20, "short"]
    with open_page(browser, width=400) as watched:
        page = show(watched, write(tmp_path, Told(document)))
        cut = page.locator("table.confusion tbody th").evaluate_all(
            "heads => heads.map((head) => [head.clientWidth, getComputedStyle(head).overflow,"
            " getComputedStyle(head).textOverflow])"
        )
        assert {tuple(style) for _, *style in cut} == {("hidden", "ellipsis")}
        assert max(width for width, *_ in cut) <= 200


REPLACED = """(body) => {
  const fresh = new DOMParser().parseFromString(body, "text/html").querySelector("#curves");
  document.querySelector("#curves").replaceWith(fresh);
  drawFigures(fresh);
}"""


def test_a_part_that_is_replaced_is_drawn_again_with_the_chosen_metric(
    browser: Browser, report: Path
) -> None:
    with open_page(browser) as watched:
        page = show(watched, report)
        page.get_by_role("tab", name="recall").click()
        page.evaluate(REPLACED, render_body(Told(make_document(loops=3))))
        assert page.get_by_role("tab", selected=True).inner_text() == "recall"
        assert page.locator("#curve-3 .scatterlayer .trace").count() == 1
        assert watched.errors == []


def test_drawing_twice_changes_nothing(browser: Browser, report: Path) -> None:
    with open_page(browser) as watched:
        page = show(watched, report)
        before = page.evaluate(DRAWN)
        page.evaluate("drawFigures(document)")
        assert page.evaluate(DRAWN) == before
        assert watched.errors == []


def test_figures_follow_the_colour_scheme(browser: Browser, report: Path) -> None:
    with open_page(browser, color_scheme="dark") as watched:
        page = show(watched, report)
        ticks = "#curve-0 .xtick text"
        assert colour(page, "body", "backgroundColor") == "rgb(22, 24, 28)"
        assert colour(page, ticks, "fill") == "rgb(236, 236, 236)"
        page.emulate_media(color_scheme="light")
        expect(page.locator(ticks).first).to_have_css("fill", "rgb(27, 27, 27)")
        assert colour(page, "body", "backgroundColor") == "rgb(255, 255, 255)"


CONTRAST = """() => {
  const light = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3).map(Number).map(v => v / 255)
      .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const over = (front, back) => {
    const a = front.match(/[\\d.]+/g).map(Number), b = back.match(/[\\d.]+/g).map(Number);
    const alpha = a.length > 3 ? a[3] : 1;
    return `rgb(${[0, 1, 2].map(i => a[i] * alpha + b[i] * (1 - alpha)).join(', ')})`;
  };
  const poor = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.offsetParent || element.closest('.figure')) continue;
    const chain = [];
    for (let at = element; at; at = at.parentElement)
      chain.unshift(getComputedStyle(at).backgroundColor);
    const back = chain.reduce((below, above) => over(above, below), 'rgb(255, 255, 255)');
    const [one, two] = [light(getComputedStyle(element).color), light(back)].sort((a, b) => b - a);
    const ratio = (one + .05) / (two + .05);
    if (ratio < 4.5) poor.push(`${element.tagName} ${element.className} ${ratio.toFixed(2)}`);
  }
  return [...new Set(poor)];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_texts_stand_out_from_what_is_behind_them(
    browser: Browser, report: Path, scheme: str
) -> None:
    with open_page(browser, color_scheme=scheme) as watched:
        assert show(watched, report).evaluate(CONTRAST) == []


@pytest.mark.parametrize("width", [400, 320])
def test_a_narrow_page_scrolls_in_one_direction_only(
    browser: Browser, report: Path, width: int
) -> None:
    with open_page(browser, width=width) as watched:
        page = show(watched, report)
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_paper_it_is_light_and_holds_every_metric(
    browser: Browser, report: Path, scheme: str
) -> None:
    with open_page(browser, color_scheme=scheme) as watched:
        page = show(watched, report)
        assert page.pdf(format="A4")[:5] == b"%PDF-"
        page.emulate_media(media="print", color_scheme=scheme)
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        assert page.locator(".panel .main-svg:first-child").count() >= 4
        assert colour(page, "#curve-3 .xtick text", "fill") == "rgb(27, 27, 27)"
        assert (
            page.evaluate(
                "Math.max(...[...document.querySelectorAll('.main-svg')].map(s => s.clientWidth))"
            )
            <= 680
        )
        page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        page.emulate_media(media="screen", color_scheme=scheme)
        assert watched.errors == []


@pytest.mark.parametrize("wicked", WICKED)
def test_names_with_markup_do_nothing(browser: Browser, tmp_path: Path, wicked: str) -> None:
    file = write(tmp_path, Told(with_wicked_names(wicked), with_wicked_names(wicked)))
    with open_page(browser, width=400) as watched:
        page = show(watched, file)
        dialogs: list[Any] = []
        page.on("dialog", lambda dialog: dialogs.append(dialog))
        assert (
            page.locator(".figure a, .figure b, .figure img, .report script, .report img").count()
            == 0
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
        assert (watched.errors, dialogs, len(watched.hosts)) == ([], [], 1)


def test_a_name_in_a_figure_is_read_as_it_was_written(browser: Browser, tmp_path: Path) -> None:
    document = make_document(classes=2)
    document["settings"]["classes"] = ["<b>&amp;</b>", "%{y} {z}"]
    with open_page(browser) as watched:
        page = show(watched, write(tmp_path, Told(document)))
        shown = page.locator("#balance .ytick text").all_text_contents()
        assert shown == ["<b>&amp;</b>", "%{y} {z}"]


def test_an_experiment_in_which_nothing_happened_has_a_page(
    browser: Browser, tmp_path: Path
) -> None:
    with open_page(browser) as watched:
        page = show(watched, write(tmp_path, Told(make_document(loops=0))))
        assert page.get_by_role("heading", name="Learning curve").is_visible()
        assert watched.errors == []


def test_one_can_skip_to_the_report(browser: Browser, report: Path) -> None:
    with open_page(browser) as watched:
        page = show(watched, report)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        landmarks = ("main", "navigation", "contentinfo")
        assert all(page.get_by_role(role).count() == 1 for role in landmarks)  # type: ignore[arg-type]
        assert page.locator("html").get_attribute("lang") == "en"


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Path:
    control = make_document("topics-control", slope=0.5, control_of="topics")
    told = [
        Told(make_document("topics"), control),
        Told(make_document(WICKED[0], slope=0.8)),
        Told(make_document("topics", batch=30), source="elsewhere/topics"),
    ]
    file = tmp_path_factory.mktemp("comparison") / "comparison.html"
    file.write_text(render_comparison(told), encoding="utf-8")
    return file


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_compared_curves_are_drawn_and_legible(
    browser: Browser, comparison: Path, scheme: str
) -> None:
    with open_page(browser, color_scheme=scheme) as watched:
        page = show(watched, comparison)
        assert page.locator("#curve-0 .scatterlayer .trace").count() == 4
        assert page.evaluate(CONTRAST) == []
        page.get_by_role("tab", name="recall").click()
        assert page.locator("#curve-3 .scatterlayer .trace").count() == 4
        assert (watched.errors, len(watched.hosts)) == ([], 1)


def test_a_narrow_comparison_scrolls_in_one_direction_only(
    browser: Browser, comparison: Path
) -> None:
    with open_page(browser, width=400) as watched:
        page = show(watched, comparison)
        assert page.evaluate("document.documentElement.scrollWidth") <= 400

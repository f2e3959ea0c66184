"""The report as a hub serves it: in its sandbox it still draws, and asks nobody for anything."""

from pathlib import Path

from tests.support.browser import open_browser, open_page
from tests.support.hub_process import Hub
from tests.support.results import all_files, create, until


def test_a_report_draws_inside_the_sandbox_that_the_hub_gives_it(tmp_path: Path) -> None:
    hub = Hub.served(tmp_path / "hub")
    try:
        create(hub)
        until(all_files(tmp_path))
        header = {"Authorization": f"Bearer {hub.operator_token}"}
        with open_browser() as browser, open_page(browser, extra_http_headers=header) as seen:
            seen.page.goto(f"{hub.url}/results/digits/report.html")
            assert seen.page.evaluate("typeof Plotly.newPlot") == "function", seen.errors
            drawn = seen.page.evaluate(
                "async () => { const box = document.createElement('div');"
                "document.body.append(box);"
                "await Plotly.newPlot(box, [{y: [1, 2]}]);"
                "return box.querySelectorAll('svg .scatterlayer path').length }"
            )
            assert drawn > 0
            assert seen.page.evaluate("self.origin") == "null", (
                "cookies of the hub are out of reach"
            )
            assert (seen.errors, seen.foreign_hosts) == ([], set())
    finally:
        hub.kill()

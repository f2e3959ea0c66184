"""Size of the report of a long experiment, and how soon it can be looked at.

A real experiment: 25 loops over 10 classes, with a control; its hooks make up scores that grow
better with the labels. The browser is Debian's Chromium.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from alectio_agent.report.page import Told, render_page
from benchmarks.harness import Figure, is_quick, publish

LOOPS, TRIES = (2, 1) if is_quick() else (25, 3)
SIZE_MB = 6
OPEN_S = 2

HOOKS = """
import random
from pathlib import Path

CLASSES = 10
TEST = range(2000, 2400)

def scores(payload, index):
    labelled = int(Path(payload["ckpt_dir"], payload["ckpt_file"]).read_text())
    chance = random.Random(index)
    row = [chance.gauss(0, 1) for _ in range(CLASSES)]
    row[index % CLASSES] += 4 * labelled / (labelled + 300)
    return row

def train(payload):
    labeled = payload["labeled"]
    Path(payload["ckpt_dir"], payload["ckpt_file"]).write_text(str(len(labeled)))
    return {"labels": {index: index % CLASSES for index in labeled}, "hyperparams": {"epochs": 3}}

def test(payload):
    rows = {index: scores(payload, index) for index in TEST}
    return {"predictions": {index: row.index(max(row)) for index, row in rows.items()},
            "labels": {index: index % CLASSES for index in TEST}, "outputs": rows}

def infer(payload):
    return {"outputs": {index: scores(payload, index) for index in payload["unlabeled"]}}

def state(payload):
    return {index: "image-%04d.png" % index for index in range(2000)}
"""

# Figures that lie in a closed part of the page are drawn when it is opened.
ALL_DRAWN = """() => {
  const seen = [...document.querySelectorAll(".figure")].filter((place) => place.clientWidth > 0);
  return seen.length > 0 && seen.every((place) => place.querySelector(".main-svg"));
}"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        results = run_experiment(Path(folder))
        told = Told(
            json.loads((results / "long/experiment.json").read_text()),
            json.loads((results / "long-control/experiment.json").read_text()),
        )
        start = time.perf_counter()
        page = render_page(told)
        made_s = time.perf_counter() - start
        file = Path(folder, "report.html")
        file.write_text(page, encoding="utf-8")
        size_mb = file.stat().st_size / 1e6
        figures = [
            Figure("report, size", "MB", (size_mb,), most=SIZE_MB),
            Figure("report, making it", "s", (made_s,)),
            Figure("report, until its curves are drawn", "s", measure_opening(file), most=OPEN_S),
        ]
    publish("report", figures)


def run_experiment(folder: Path) -> Path:
    """The experiment and its control, to their end; gives the folder of results."""
    (folder / "processes.py").write_text(HOOKS)
    (folder / "agent.yaml").write_text(
        "pipelines:\n  long: {hooks: processes.py}\nexperiment: experiment.yaml\n"
    )
    (folder / "experiment.yaml").write_text(
        f"name: long\ntask: classification\nclasses: 10\nbatch: 40\nloops: {LOOPS}\n"
        "control: replay\n"
    )
    command = [sys.executable, "-m", "alectio_agent", "run", "-q"]
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=True)
    return folder / "results"


def measure_opening(file: Path) -> tuple[float, ...]:
    """Seconds until every figure in sight is drawn, each time in a fresh window."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("no chromium on this machine; Debian: apt install chromium")
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-dev-shm-usage"]  # root has no sandbox
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        taken_s = tuple(open_once(browser, file) for _ in range(TRIES))
        browser.close()
    return taken_s


def open_once(browser: Browser, file: Path) -> float:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    start = time.perf_counter()
    page.goto(file.as_uri())
    page.wait_for_function(ALL_DRAWN, polling="raf")
    taken_s = time.perf_counter() - start
    page.close()
    return taken_s


if __name__ == "__main__":
    main()

"""The log for machines and the metrics of a real run."""

import json
from pathlib import Path

from tests.support.projects import run_command, write_project
from tests.support.promtool import promtool


def test_a_run_leaves_metrics_that_prometheus_takes_and_a_log_that_machines_read(
    tmp_path: Path,
) -> None:
    """One run for all: it takes longer than all that is looked at here."""
    (tmp_path / "collector").mkdir()
    keys = "metrics: {textfile: collector/alectio.prom}\nlogging: {format: json}\n"
    write_project(tmp_path, loops=2, agent=keys)
    ran = run_command("run", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr

    file = tmp_path / "collector" / "alectio.prom"
    text = file.read_text()
    assert list(file.parent.iterdir()) == [file]
    assert file.stat().st_mode & 0o777 == 0o644
    for told in (
        "alectio_agent_up 0", "alectio_agent_failed 0",
        'alectio_agent_jobs_total{class="done"} 2', 'alectio_agent_polls_total{outcome="job"} 2',
        'alectio_agent_step_duration_seconds_count{step="train"} 2',
        'alectio_agent_hook_starts_total{reason="first"} 1', "alectio_agent_outbox_messages 0",
    ):  # fmt: skip
        assert f"{told}\n" in text
    assert 'alectio_agent_step_memory_peak_bytes{pipeline="toy",step="train"} ' in text
    promtool("check", "metrics", text=text)

    told = [json.loads(line) for line in ran.stderr.splitlines() if line.startswith("{")]
    started = [line for line in told if line["message"] == "infer started"]
    names = [(line["experiment"], line["loop"], line["attempt"], line["step"]) for line in started]
    assert ("toy", 0, 1, "infer") in names
    assert {line["logger"].split(".")[0] for line in told} == {"alectio_agent"}

"""The alert rules and the dashboard, as Prometheus reads them."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from alectio_agent.agent.service.metric_names import METRICS
from tests.support.promtool import promtool

PACKAGING = Path(__file__).parents[2] / "packaging"
RULES = PACKAGING / "prometheus" / "alectio-agent.rules.yml"
TESTS = PACKAGING / "prometheus" / "alectio-agent.tests.yml"
DASHBOARD = PACKAGING / "grafana" / "alectio-agent.json"
DOCS = PACKAGING.parent / "docs" / "metrics.md"


def written() -> set[str]:
    """The names of all series."""
    names = set()
    for metric in METRICS:
        suffixes = ("_sum", "_count") if metric.kind == "summary" else ("",)
        names |= {metric.full_name + suffix for suffix in suffixes}
    return names


def used(text: str) -> set[str]:
    return set(re.findall(r"alectio_agent_\w+", text))


def alerts() -> list[dict[str, Any]]:
    [group] = yaml.safe_load(RULES.read_text())["groups"]
    return group["rules"]


def expressions() -> list[str]:
    dashboard = json.loads(DASHBOARD.read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def test_the_rules_are_rules() -> None:
    assert f"{len(alerts())} rules found" in promtool("check", "rules", str(RULES))


def test_each_alert_fires_and_stays_silent_as_it_should() -> None:
    assert "SUCCESS" in promtool("test", "rules", str(TESTS))


def test_each_alert_is_seen_to_fire_in_a_series() -> None:
    fires = {
        re.findall(r'alertname="(\w+)"', sample["labels"])[0]
        for test in yaml.safe_load(TESTS.read_text())["tests"]
        for case in test["promql_expr_test"]
        for sample in case.get("exp_samples", [])
    }
    assert fires == {alert["alert"] for alert in alerts()}


def test_rules_ask_for_what_is_written() -> None:
    asked = used("\n".join(alert["expr"] for alert in alerts()))
    assert asked <= written()
    assert len(asked) > 10


def test_the_dashboard_shows_every_metric_and_no_other() -> None:
    assert used("\n".join(expressions())) == written()


def test_the_expressions_of_the_dashboard_can_be_computed(tmp_path: Path) -> None:
    """Grafana's own variables stand where a range and a name would."""
    rules = [
        {"record": f"panel:{number}", "expr": text.replace("$__rate_interval", "5m")}
        for number, text in enumerate(expressions())
    ]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool("check", "rules", str(file))


def test_the_documentation_explains_every_alert() -> None:
    listed = re.findall(r"^\| `(AlectioAgent\w+)` \|", DOCS.read_text(), re.M)
    assert listed == [alert["alert"] for alert in alerts()]

"""The closed list of what can leave: complete, and true to what `share` lets through."""

from pathlib import Path
from typing import Any, get_args

import pytest

from alectio_agent.agent.client.field_names import INLINE
from alectio_agent.agent.journal.egress_rows import Call
from alectio_agent.cli.leaving import (
    MODELS,
    TYPED_MODELS,
    LeavingField,
    leaving,
    wire_fields,
)
from alectio_agent.cli.leaving_text import explain_text
from alectio_agent.cli.leaving_words import CALLS, FIELDS, TYPED
from alectio_agent.config.loader import load
from alectio_agent.config.pipeline import PipelineSettings
from alectio_agent.config.settings import AgentFile
from alectio_agent.config.share import ShareSettings
from alectio_agent.wire import labels, operation
from alectio_agent.wire.records import Order

BODIES = {"part.body", "log.body", "names.body", "check.body", "check.wait_s"}


def found_with(folder: Path, **keys: Any) -> dict[str, LeavingField]:
    pipeline = PipelineSettings(hooks=folder / "p.py", share=ShareSettings(**keys))
    return {f"{each.call}.{each.field}": each for each in leaving({"toy": pipeline})}


def test_every_field_of_the_wire_is_explained_and_nothing_else_is() -> None:
    """A new field without an explanation must not leave unnoticed."""
    wire = {f"{call}.{name}" for call, model in MODELS.items() for name in wire_fields(model)}
    wire |= {
        f"{call}.{name}"
        for call, models in TYPED_MODELS.items()
        for model in models
        # An experiment's settings are one file that people wrote for the hub.
        for name in (["settings"] if "settings" in model.model_fields else [])
        + [each for each in wire_fields(model) if not each.startswith("settings.")]
    }
    wire |= {f"commit.inline.{name}" for name in INLINE} | BODIES
    wire -= {"commit.inline"}
    assert {name for name in FIELDS if not name.startswith("header.")} == wire


def test_every_order_of_a_person_to_a_hub_is_explained() -> None:
    orders = {
        each
        for module in (labels, operation)
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Order)
    }
    known = {model for models in TYPED_MODELS.values() for model in models}
    assert known == orders - {Order, labels.LabelRow} | {operation.ExperimentCreate}


def test_what_people_type_stands_apart_from_what_the_agent_records(tmp_path: Path) -> None:
    text = explain_text(list(found_with(tmp_path).values()), 80)
    agents, typed = text.split("It is not in the agent's record.")
    assert "\nnames: PUT" in agents
    assert "\ncheck: GET /v1/platform, PUT /v1/probe" in typed
    assert "  body: random bytes" in typed
    assert "  rows.label: as in the file" in typed
    recorded = set(get_args(Call))
    assert recorded - {"refuse", "ask"} == set(CALLS) - set(TYPED) - {"header"}


def test_every_call_is_explained() -> None:
    assert {name.partition(".")[0] for name in FIELDS} | {"leave"} == set(CALLS)


def test_every_key_that_closes_something_governs_a_field() -> None:
    keys = {field.key for field in FIELDS.values() if field.key}
    only_one_value = {"outputs", "test"}
    assert keys == set(ShareSettings.model_fields) - only_one_value


@pytest.mark.parametrize(
    ("keys", "field", "leaves"),
    [
        ({}, "commit.inline.labels", "no"),
        ({}, "log.body", "no"),
        ({}, "fail.traceback", "files, lines and types"),
        ({"labels": "counts"}, "commit.inline.labels", "no"),
        ({"labels": "counts"}, "commit.inline.label_counts", "yes"),
        ({"labels": "full"}, "commit.inline.labels", "yes"),
        ({"logs": "tail"}, "log.body", "yes"),
        ({"names": True}, "names.body", "yes"),
        ({"hyperparams": True}, "commit.provenance.args", "yes"),
        ({"tracebacks": "full"}, "fail.message", "yes"),
        ({"host": "name"}, "register.name", "yes"),
    ],
)
def test_it_says_what_leaves_now(
    tmp_path: Path, keys: dict[str, Any], field: str, leaves: str
) -> None:
    assert found_with(tmp_path, **keys)[field].leaves == {"toy": leaves}


def test_the_name_of_the_machine_leaves_only_when_all_pipelines_allow_it(tmp_path: Path) -> None:
    hooks = tmp_path / "p.py"
    pipelines = {
        "one": PipelineSettings(hooks=hooks, share=ShareSettings(host="name")),
        "two": PipelineSettings(hooks=hooks),
    }
    (name,) = [each for each in leaving(pipelines) if each.field == "name" and each.key]
    assert "yes" not in name.leaves.values()


def test_a_hub_on_this_machine_gets_everything_but_what_is_closed(tmp_path: Path) -> None:
    (tmp_path / "processes.py").touch()
    (tmp_path / "agent.yaml").write_text(
        "pipelines: {toy: {hooks: processes.py, share: {names: false}}}\n"
        "experiment: experiment.yaml\n"
    )
    found = leaving(load(tmp_path / "agent.yaml", AgentFile).pipelines)
    assert {each.key for each in found if each.leaves["toy"] != "yes"} == {"names"}


def test_the_list_for_people_fits_80_columns(tmp_path: Path) -> None:
    text = explain_text(list(found_with(tmp_path, labels="counts").values()), 80)
    assert max(map(len, text.splitlines())) <= 80
    assert "  inline.labels: labels that train returns\n    stays  (share.labels)\n" in text
    assert "of each class\n    LEAVES  (share.labels)\n" in text


def test_docs_tell_each_key_and_each_call() -> None:
    text = Path("docs/what-leaves.md").read_text()
    for name in (*ShareSettings.model_fields, *(f"`{call}`" for call in CALLS)):
        assert name in text, name

"""The hooks are looked at while the rest of an agent is imported; how that ends."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from alectio_agent.cli.agent_state import State, open_state
from alectio_agent.cli.early_look import EarlyLook, early_slots
from alectio_agent.cli.settings import load_agent_file
from alectio_agent.core.errors import HookLoadError
from tests.support.hook_runs import HOOKS

HEAD = "platform: {url: 'http://127.0.0.1:9', token_file: token}\npipelines:\n"
PIPELINE = "  {0}: {{hooks: {0}.py, pool_size: 10}}\n"


class Site:
    """A state folder with pipelines whose hooks are given."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self._stack = folder, stack

    def open(self, text: str = "", **hooks: str) -> State:
        for name, source in hooks.items():
            (self.folder / f"{name}.py").write_text(source)
        file = self.folder / "agent.yaml"
        file.write_text(text or HEAD + "".join(map(PIPELINE.format, hooks)))
        settings = load_agent_file(file, is_local=True)[0]
        settings.agent.state_dir.mkdir(exist_ok=True)
        return open_state(settings, self._stack)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(tmp_path, stack)


def test_it_finds_the_hooks_of_every_pipeline(site: Site) -> None:
    state = site.open(one=HOOKS, two=HOOKS)
    look = EarlyLook(state)
    found = look.result()
    look.close()
    assert set(found) == {"one", "two"}
    assert set(found["one"].forms) == {"train", "test", "infer"}
    assert state.journal.groups() == []


def test_hooks_that_cannot_be_loaded_are_an_error_where_the_result_is_asked_for(
    site: Site,
) -> None:
    look = EarlyLook(site.open(one="import nothing_like_it\n" + HOOKS))
    with pytest.raises(HookLoadError, match="nothing_like_it"):
        look.result()
    look.close()


def test_a_start_that_is_given_up_leaves_no_process_that_still_imports(site: Site) -> None:
    state = site.open(one="import signal\nsignal.pause()\n" + HOOKS)
    look = EarlyLook(state)
    look.close()
    assert state.journal.groups() == []


def test_one_pipeline_has_a_process_that_waits_for_its_first_job(site: Site) -> None:
    state = site.open(one=HOOKS)
    (slot,) = early_slots(state)
    assert len(state.journal.groups()) == 1
    slot.close()
    assert state.journal.groups() == []


def test_of_several_pipelines_none_has_one(site: Site) -> None:
    state = site.open(one=HOOKS, two=HOOKS)
    (slot,) = early_slots(state)
    assert state.journal.groups() == []
    slot.close()


GPUS = "import os\nassert os.environ['CUDA_VISIBLE_DEVICES'] == '{}'\n"
SLOTS = "slots: [{gpus: [4]}, {gpus: [5]}]\n"


def test_each_pipeline_is_looked_at_with_the_gpus_of_a_slot_that_may_run_it(site: Site) -> None:
    """Its imports may take hold of a GPU: not of one where another pipeline works."""
    pinned = PIPELINE.replace("10}}", "10, slots: [1]}}").format("two")
    state = site.open(SLOTS + HEAD + PIPELINE.format("one") + pinned,
                      one=GPUS.format(4) + HOOKS, two=GPUS.format(5) + HOOKS)  # fmt: skip
    look = EarlyLook(state)
    assert set(look.result()) == {"one", "two"}
    look.close()


def test_the_first_process_waits_in_the_slot_that_its_pipeline_may_run_in(site: Site) -> None:
    pinned = PIPELINE.replace("10}}", "10, slots: [1]}}").format("one")
    slots = early_slots(site.open(SLOTS + HEAD + pinned, one=HOOKS))
    assert [slot.readiness("one", "digits") for slot in slots] == [1, 2]
    for slot in slots:
        slot.close()

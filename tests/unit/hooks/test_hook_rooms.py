"""Small parts of the hook process: seeds, names of records, plain values, stopping."""

import random
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest

from alectio_agent.agent.hooks.child.failures import ContractError
from alectio_agent.agent.hooks.child.ownership import OwnFiles
from alectio_agent.agent.hooks.child.plain import NotPlainError, to_plain
from alectio_agent.agent.hooks.child.record_names import write_names
from alectio_agent.agent.hooks.child.seeding import derive_seed, seed_all
from alectio_agent.agent.hooks.child.standins import Pipeline
from alectio_agent.agent.hooks.inspection import prefix_digest
from alectio_agent.agent.hooks.stopping import Stopper
from tests.support.clocks import FakeClock


class TestSeeds:
    def test_a_seed_is_the_same_in_every_python(self) -> None:
        """SHA-256 of `7/3/train`, first eight bytes, shifted right by one."""
        assert derive_seed(7, 3, "train") == 3996992013612311134

    def test_seed_loop_and_step_each_count(self) -> None:
        seeds = {derive_seed(*key) for key in [(0, 0, "train"), (1, 0, "train"), (0, 1, "train"),
                                               (0, 0, "test"), (10, 0, "train")]}  # fmt: skip
        assert len(seeds) == 5
        assert all(0 <= seed < 2**63 for seed in seeds)

    def test_the_standard_librarys_and_numpys_numbers_repeat(self) -> None:
        drawn = []
        for _ in range(2):
            seed_all(2**62 + 1)
            drawn.append((random.random(), np.random.rand()))  # noqa: NPY002 - what hooks use
        assert drawn[0] == drawn[1]


class TestRecordNames:
    def test_names_are_lines_in_index_order(self, tmp_path: Path) -> None:
        file = tmp_path / "names"
        given = {"1": "caf\u00e9\n", 0: PurePosixPath("a.png"), np.int64(2): 7}
        assert write_names(given, file) == 3
        assert file.read_text() == '"a.png"\n"caf\\u00e9\\n"\n"7"\n'

    @pytest.mark.parametrize(
        ("returned", "said"),
        [
            (["a"], "returned a list"),
            (None, "returned a NoneType"),
            ({0: "a", 2: "b"}, "indices are not 0..1: missing 1"),
            ({1: "a"}, "missing 0"),
            ({"x": "a"}, "are no indices"),
            ({0: "a", "0": "b"}, "holds indices twice"),
            ({0: None}, "the name of index 0 is a NoneType"),
            ({0: True}, "the name of index 0 is a bool"),
            ({0: 1.5}, "the name of index 0 is a float"),
            ({0: object()}, "the name of index 0 is a object"),
        ],
    )
    def test_a_broken_rule_is_named(self, tmp_path: Path, returned: Any, said: str) -> None:
        with pytest.raises(ContractError) as failed:
            write_names(returned, tmp_path / "names")
        assert said in failed.value.message

    def test_a_pool_that_grew_has_the_same_digest_for_its_first_names(self, tmp_path: Path) -> None:
        small, grown, renamed = (tmp_path / name for name in "abc")
        write_names({0: "a", 1: "b"}, small)
        write_names({0: "a", 1: "b", 2: "c"}, grown)
        write_names({0: "a", 1: "x", 2: "c"}, renamed)
        assert prefix_digest(grown, 2) == prefix_digest(small, 2)
        assert prefix_digest(renamed, 2) != prefix_digest(small, 2)
        assert prefix_digest(renamed, 1) == prefix_digest(small, 1)
        assert prefix_digest(grown, 3) != prefix_digest(grown, 2)


class TestPlainValues:
    @pytest.mark.parametrize(
        ("value", "plain"),
        [
            (np.float32(0.5), 0.5),
            (np.array(3), 3),
            (np.array([[1, 2]]), [[1, 2]]),
            (np.array(["a"]), ["a"]),
            (np.array([1.5], dtype=object), [1.5]),
            ({1: (2, [np.int8(3)])}, {"1": [2, [3]]}),
            (range(2), [0, 1]),
            (True, True),
            (None, None),
        ],
    )
    def test_what_json_can_hold(self, value: Any, plain: Any) -> None:
        found = to_plain(value)
        assert found == plain
        assert type(found) is type(plain)

    @pytest.mark.parametrize(
        "value",
        [float("nan"), np.float64("inf"), np.array([1, np.nan]), {1, 2}, b"x", object(), 1j,
         {1.5: 2}, {True: 1}, np.array([1j])],
    )  # fmt: skip
    def test_what_json_cannot_hold(self, value: Any) -> None:
        with pytest.raises(NotPlainError):
            to_plain({"a": [value]})

    def test_a_value_without_an_end_is_refused(self) -> None:
        endless: list[Any] = []
        endless.append(endless)
        with pytest.raises(NotPlainError, match="nested more than"):
            to_plain(endless)


class TestOwnership:
    @pytest.mark.parametrize(
        ("file", "is_own"),
        [
            ("/srv/x/processes.py", True),
            ("/srv/x/net/deep.py", True),
            ("/srv/xy/processes.py", False),
            ("/srv/x/.venv/lib/python3.11/site-packages/torch/nn.py", False),
            ("<frozen importlib._bootstrap>", False),
        ],
    )
    def test_installed_packages_are_not_the_users_own(self, file: str, is_own: bool) -> None:
        assert OwnFiles(["/srv/x"]).holds(file) is is_own

    def test_the_standard_library_is_never_the_users_own(self) -> None:
        assert not OwnFiles(["/"]).holds(random.__file__)


class TestOldPipeline:
    def test_it_registers_and_returns(self, monkeypatch: pytest.MonkeyPatch) -> None:
        registered: list[Pipeline] = []
        monkeypatch.setattr(Pipeline, "registered", registered)
        made = Pipeline("name", print, len, repr, getstate_fn=None, args={"a": 1}, token="t", x=1)
        assert made(debug=True, host="0.0.0.0") is None
        assert made.run() is None
        assert registered == [made]
        functions = {"train": print, "test": len, "infer": repr, "state": None}
        assert made.functions == functions
        assert made.args == {"a": 1}


class TestStopper:
    def make(self) -> tuple[Stopper, FakeClock]:
        clock = FakeClock()
        return Stopper(clock), clock

    def test_asking_sets_a_deadline_that_only_gets_shorter(self) -> None:
        stopper, clock = self.make()
        stopper.begin()
        assert stopper.deadline_s is None
        stopper.ask(30)
        clock.advance(5)
        stopper.ask(60)
        assert stopper.deadline_s == 30
        stopper.ask(0)
        assert stopper.deadline_s == 5
        stopper.close()

    def test_a_request_lets_the_step_end_by_itself_until_it_is_late(self) -> None:
        stopper, clock = self.make()
        stopper.begin()
        stopper.request(60, asks_hook=False)
        stopper.request(90, asks_hook=False)
        stopper.request(None, asks_hook=False)
        assert (stopper.late_s, stopper.deadline_s, stopper.is_late) == (60, None, False)
        clock.advance(60)
        assert stopper.is_late
        stopper.close()

    def test_a_hook_is_asked_by_a_request_that_says_so_and_by_every_cancel(self) -> None:
        stopper, _ = self.make()
        stopper.begin()
        stopper.request(60, asks_hook=False)
        assert not stopper.is_hook_asked
        stopper.request(None, asks_hook=True)
        stopper.request(None, asks_hook=False)
        assert stopper.is_hook_asked
        stopper.begin()
        assert (stopper.is_hook_asked, stopper.late_s) == (False, None)
        stopper.ask(30)
        assert stopper.is_hook_asked
        stopper.close()

    def test_a_request_between_steps_and_after_the_end_has_no_effect(self) -> None:
        stopper, _ = self.make()
        stopper.request(1, asks_hook=True)
        stopper.begin()
        stopper.finish()
        stopper.request(1, asks_hook=True)
        stopper.begin()
        assert (stopper.is_hook_asked, stopper.late_s) == (False, None)
        stopper.close()
        stopper.request(1, asks_hook=True)
        assert not stopper.is_hook_asked

    def test_asking_between_steps_has_no_effect(self) -> None:
        stopper, _ = self.make()
        stopper.ask(1)
        stopper.begin()
        stopper.finish()
        stopper.ask(1)
        stopper.begin()
        assert stopper.deadline_s is None
        stopper.close()

    def test_asking_after_the_end_has_no_effect(self) -> None:
        stopper, _ = self.make()
        stopper.begin()
        stopper.close()
        stopper.ask(1)
        stopper.close()
        assert stopper.deadline_s is None

    def test_who_asks_first_gives_the_reason(self) -> None:
        stopper, _ = self.make()
        stopper.begin()
        stopper.ask(30, "total")
        stopper.ask(0)
        assert stopper.overrun == "total"
        stopper.begin()
        stopper.ask(30)
        stopper.ask(0, "total")
        assert stopper.overrun is None
        stopper.close()

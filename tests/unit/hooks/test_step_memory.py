"""The peak of what a step held, as its process measures it."""

import sys
import types

import pytest

from alectio_agent.agent.hooks.child.step_memory import SHORT_S, Peaks, begin_peak, peaks

MIB = 2**20


class Cuda(types.SimpleNamespace):
    """What `torch.cuda` says on a machine with two GPUs; no test machine has one."""

    def __init__(self, *held: int, is_used: bool = True) -> None:
        super().__init__(held=list(held), asked=0)
        self._is_used = is_used

    def is_initialized(self) -> bool:
        return self._is_used

    def device_count(self) -> int:
        self.asked += 1
        return len(self.held)

    def max_memory_allocated(self, number: int) -> int:
        return self.held[number]

    def reset_peak_memory_stats(self, number: int) -> None:
        self.held[number] = 0


def put(monkeypatch: pytest.MonkeyPatch, cuda: object) -> None:
    module = types.ModuleType("torch")
    module.cuda = cuda  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", module)


def test_the_peak_is_of_this_step_and_not_of_one_before() -> None:
    """One process runs train, test and infer."""
    begin_peak()
    before = peaks()["memory_bytes"]
    assert before is not None
    filled = bytearray(b"x") * (80 * MIB)
    filled.clear()
    large = peaks()["memory_bytes"]
    begin_peak()
    after = peaks()["memory_bytes"]
    assert large is not None
    assert after is not None
    assert large - before > 60 * MIB
    assert large - after > 60 * MIB


def test_without_torch_nothing_is_known_of_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    begin_peak()
    assert peaks()["gpu_bytes"] is None


def test_the_gpu_with_the_most_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = Cuda(5, 9)
    put(monkeypatch, cuda)
    assert peaks()["gpu_bytes"] == 9
    begin_peak()
    assert peaks()["gpu_bytes"] == 0


def test_a_gpu_that_nobody_uses_is_not_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking it would take half a gigabyte of its memory and a second."""
    cuda = Cuda(5, is_used=False)
    put(monkeypatch, cuda)
    begin_peak()
    assert (peaks()["gpu_bytes"], cuda.asked) == (None, 0)


@pytest.mark.parametrize("cuda", [None, "not what one thinks", Cuda()])
def test_whatever_goes_by_the_name_of_torch_does_no_harm(
    monkeypatch: pytest.MonkeyPatch, cuda: object
) -> None:
    put(monkeypatch, cuda)
    begin_peak()
    assert peaks()["gpu_bytes"] is None


def test_short_steps_are_read_once_and_long_ones_each_time() -> None:
    """What a loop of hooks that do nothing pays for metrics nobody could learn from."""
    read = Peaks()
    short = SHORT_S / 2
    told = [read.of(step, took_s) for step, took_s in (
        ("train", short), ("train", short), ("test", short), ("train", SHORT_S), ("train", 9.0),
    )]  # fmt: skip
    assert [bool(each) for each in told] == [True, False, True, True, True]

"""What a built agent offers, and what it would hand out when asked."""

from pathlib import Path

import pytest

from alectio_agent.agent.hooks.inspection import HookInspection
from alectio_agent.agent.jobs.share import STRICT, Share, Shares
from alectio_agent.cli.announcement import held_in, name_files, offer
from alectio_agent.config.loader import load
from alectio_agent.config.pipeline import PipelineSettings
from alectio_agent.config.settings import AgentFile
from alectio_agent.config.share import OPEN
from tests.support.projects import write_project

DIGEST = "d" * 64
NAMED = HookInspection({}, Path("toy.names"), 60, DIGEST)
NAMELESS = HookInspection({})


@pytest.fixture
def pipeline(tmp_path: Path) -> PipelineSettings:
    return load(write_project(tmp_path), AgentFile).pipelines["toy"]


def test_record_names_that_may_not_leave_are_in_nobodys_reach() -> None:
    """A platform may ask for them all the same."""
    assert name_files({"toy": NAMED}, Shares()) == {}


def test_record_names_that_may_leave_are_found_by_their_digest() -> None:
    found = name_files({"toy": NAMED, "other": NAMELESS}, Shares(otherwise=Share(OPEN)))
    assert found == {DIGEST: Path("toy.names")}


@pytest.mark.parametrize(
    ("inspection", "full", "shares"),
    [(NAMED, True, True), (NAMED, False, False), (NAMELESS, True, False)],
)
def test_an_offer_says_whether_names_may_be_asked_for(
    pipeline: PipelineSettings, inspection: HookInspection, full: bool, shares: bool
) -> None:
    found = offer("toy", pipeline, inspection, Share(OPEN if full else STRICT))
    assert found.shares_names is shares


def test_partial_checkpoints_are_announced_beside_the_whole_ones(tmp_path: Path) -> None:
    """The platform then prefers this agent for the loop that was interrupted."""
    for name in ("toy/toy-ckpt_0.pt", "toy/toy-ckpt_1.partial", "toy/toy-ckpt_1.partial.tmp",
                 ".toy.training/x", "notes.txt/y"):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    held = [(found.experiment, found.name) for found in held_in(tmp_path)]
    assert held == [("toy", "toy-ckpt_0"), ("toy", "toy-ckpt_1.partial")]

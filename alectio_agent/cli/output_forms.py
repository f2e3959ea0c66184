"""The JSON of commands that put it together by hand, as types: for their published schemas only."""

from typing import Any, Literal

from pydantic import BaseModel, RootModel

from alectio_agent.agent.service.control.status import Moment, PauseStatus
from alectio_agent.cli.audit_rows import AuditRow
from alectio_agent.cli.leaving import LeavingField
from alectio_agent.wire.agents import Boot
from alectio_agent.wire.operation import PlatformInfo


class Form(BaseModel):
    """A JSON object."""


class SteeredJob(Form):
    """A job in hand; `step` is null between two steps."""

    job: str
    attempt: int
    step: str | None


class Steered(Form):
    """What a command did that steers the agent, and what the agent is doing.

    While no agent runs there are only `name`, `is_running`, and what the command itself tells.
    """

    name: str
    is_running: bool
    version: str = ""
    state: Literal["starting", "idle", "working", "stopping"] = "idle"
    jobs: list[SteeredJob] = []
    paused: PauseStatus | None = None
    held_back: str = ""
    stops_asked: int = 0
    starts_again: bool = False
    pid: int = 0
    boot: Boot = Boot(count=1, id="b")
    was_paused: PauseStatus | None = None
    drain_timeout_s: float | None = None
    file: str = ""
    changed: list[str] = []
    needs_restart: list[str] = []
    retried: int = 0


class JobRow(Form):
    """An attempt at a job; `next` is what to type, empty when nothing is to be done."""

    job: str
    attempt: int
    state: str
    steps: list[str]
    done: list[str]
    claimed_at: Moment
    problem: str
    next: str


class JobRows(RootModel[list[JobRow]]):
    """The newest jobs of this agent, the newest last."""


class LogLine(Form):
    """A line that a hook printed; one object a line."""

    job: str
    attempt: int
    line: str


class CheckRow(Form):
    """One check; `log` and `printed` tell what the hooks printed."""

    check: str
    state: str
    said: str
    seconds: float | None
    problems: list[str]
    codes: list[str]
    log: str | None
    printed: list[str]


class CheckRows(RootModel[list[CheckRow]]):
    """All checks, in the order in which they were made."""


class Version(Form):
    """The versions of the package, of the protocol and of Python."""

    version: str
    protocol: int
    python: str


class Explained(Form):
    """A code of a message."""

    code: str
    title: str
    text: str


class Explanations(RootModel[Explained | list[Explained]]):
    """The code that was named, or all of them."""


class Script(Form):
    """What a shell has to read."""

    shell: str
    script: str


class Gap(Form):
    """A line of a file that has to be filled in."""

    file: str
    line: int
    text: str


class Project(Form):
    """The files that were written."""

    files: list[str]
    fill_in: list[Gap]
    warnings: list[str]


class ReportFile(Form):
    """Where the report is."""

    name: str
    file: str


class ResultFiles(Form):
    """The files that were written."""

    name: str
    files: list[str]


class ComparedRun(Form):
    """An experiment, or its control; null: a score was not reached."""

    name: str | None
    label: str
    is_control: bool
    state: str | None
    labels: int
    metrics: dict[str, float | None]
    labels_to_reach: dict[str, dict[str, int | None]]


class ComparedRuns(Form):
    """Several experiments beside each other, and the page about them."""

    page: str
    experiments: list[ComparedRun]


class LoopDifference(Form):
    """Two loops of an experiment.

    `changed` holds what differs, by section; `same` the sections that do not; `unknown` those about
    which one of the loops tells nothing.
    """

    experiment: str
    before: int
    after: int
    samples: dict[str, Any]
    changed: dict[str, dict[str, Any]]
    same: list[str]
    unknown: list[str]


class Values(RootModel[dict[str, Any]]):
    """All values that are in force, in the sections of agent.yaml.

    With --origin: `values`, and `origins`, where each comes from.
    """


class UnitFiles(Form):
    """The files of a unit of systemd: path to content."""

    files: dict[str, str]


class Enrolled(Form):
    """A token that was written; `platform` is null when none answered."""

    token_file: str
    url: str
    platform: PlatformInfo | None


class BackupFile(Form):
    """A copy of a hub's folder that was read again."""

    file: str
    bytes: int
    files: int
    made_at: str
    version: str


class BundledFile(Form):
    """A file of a bundle, and its size."""

    name: str
    bytes: int


class Bundle(Form):
    """A bundle for support that was written."""

    file: str
    files: list[BundledFile]


class AuditRows(RootModel[list[AuditRow]]):
    """The record of what left the site, the oldest first."""


class LeavingFields(RootModel[list[LeavingField]]):
    """Everything that can leave the site, and whether it does."""

"""Looks at tables, journals and disks once everything has come to its end."""

import gzip
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from alectio_agent.agent.journal.rows import SCHEMA, SCHEMA_NUMBER
from alectio_agent.hub.experiments.parts import part_path
from alectio_agent.hub.store.tables import attempts, experiments, jobs, messages, results
from tests.simulation.kept_database import KeptDatabase

if TYPE_CHECKING:
    from tests.simulation.machine import Machine
    from tests.simulation.world import World

Row = dict[str, Any]


def check_end(world: "World") -> None:
    """Judge what is left."""
    Ending(world).check()


class Ending:
    """All that is there at the end."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._violate = world.history.violate
        self.results = self._rows(results)
        self.jobs = {row["job_id"]: row for row in self._rows(jobs)}
        self.attempts = {row["lease"]: row for row in self._rows(attempts)}
        self.keys = {row["key"] for row in self._rows(messages)}
        self.by_step = {(row["lease"], row["step"]): row for row in self.results}

    def check(self) -> None:
        """Everything."""
        for experiment in self._rows(experiments):
            self._check_experiment(experiment)
        for row in self.results:
            self._check_result(row)
        for machine in self._world.machines:
            self._check_machine(machine)
        for (lease, step), manifest in self._world.judge.durable_results.items():
            self._check_durable(lease, step, manifest.commit.key)

    def _rows(self, table: Any) -> list[Row]:
        with self._world.hub.engine.connect() as tx:
            return [dict(row) for row in tx.execute(select(table)).mappings()]

    def _check_experiment(self, experiment: Row) -> None:
        """Each step of each loop counts once, all of a loop from one train run."""
        if experiment["state"] != "finished":
            return
        name, loops = experiment["name"], json.loads(experiment["settings"])["loops"]
        own = [
            row
            for row in self.jobs.values()
            if row["experiment_id"] == experiment["experiment_id"] and row["state"] != "rewound"
        ]
        if sorted(row["loop"] for row in own) != list(range(len(own))):
            self._violate(f"{name}: loops are missing")
        if len(own) < loops and not experiment["ending"]:
            self._violate(f"{name}: {len(own)} of {loops} loops")
        for job in own:
            self._check_job(f"{name}/{job['loop']}", job)

    def _check_job(self, what: str, job: Row) -> None:
        counted = defaultdict(list)
        for row in self.results:
            if row["job_id"] == job["job_id"] and row["is_counted"]:
                counted[row["step"]].append(row)
        wanted = {"train", "test"} | ({"infer"} if job["has_infer"] else set())
        if job["state"] != "done":
            self._violate(f"{what}: {job['state']} at the end")
        if not wanted <= set(counted):
            self._violate(f"{what}: counted {sorted(counted)}; expected {sorted(wanted)}")
        twice = [step for step, rows in counted.items() if len(rows) > 1]
        if twice:
            self._violate(f"{what}: {twice} counted twice")
        rows = [row for some in counted.values() for row in some]
        if len({row["train_lease"] for row in rows}) > 1:
            self._violate(f"{what}: results of several train runs count")
        trains = {train for row in rows for _, train in self._said(row)}
        if len(trains) > 1:
            self._violate(f"{what}: results were made from several train runs: {trains}")

    def _check_result(self, row: Row) -> None:
        """What the hub keeps is what a hook of that very attempt computed."""
        said = self._said(row)
        if not said:
            self._violate(f"{row['step']}: an empty result is kept")
        for run, _ in said:
            known = self._world.judge.runs.get(run)
            if known is None or (known.lease, known.step) != (row["lease"], row["step"]):
                self._violate(f"{row['step']}: no hook of that attempt computed what is kept")

    def _said(self, row: Row) -> set[tuple[str, str]]:
        """Which runs made a result, and from which train runs."""
        if row["step"] == "train":
            run = json.loads(row["inline"])["hyperparams"]["run"]
            return {(run, run)}
        if row["inline"] is not None:
            found = [value for _, value in json.loads(row["inline"])["rows"]]
        else:
            found = [value for _, value in self._lines(row)]
        if row["step"] == "test":
            return {(run, train) for run, train in found}
        return {(value["run"], value["train"]) for value in found}

    def _lines(self, row: Row) -> list[Any]:
        context = self._world.hub.platform.context
        files = [
            part_path(context, row["job_id"], part["sha256"]) for part in json.loads(row["parts"])
        ]
        return [
            json.loads(line)
            for file in files
            if file.is_file()
            for line in gzip.decompress(file.read_bytes()).splitlines()
        ]

    def _check_machine(self, machine: "Machine") -> None:
        """Nothing is left to send, and what was settled was taken."""
        database = KeptDatabase(machine.platter, lambda _: None, machine.state_dir, SCHEMA,
                                SCHEMA_NUMBER)  # fmt: skip
        for row in database.query("SELECT * FROM messages"):
            what = f"{machine.name}: {row['step']} {row['kind']}"
            if row["state"] == "pending":
                self._violate(f"{what}: was never sent")
            elif row["state"] == "settled" and row["key"] not in self.keys:
                self._violate(f"{what}: settled, though the hub does not know it")
            elif row["state"] in ("superseded", "parked") and not row["reason"]:
                self._violate(f"{what}: {row['state']} without a reason")
            elif row["state"] == "parked":
                self._violate(f"{what}: parked: {row['reason']}")
            elif row["state"] == "superseded" and not self._is_ended(row["lease"]):
                self._violate(f"{what}: superseded, though its attempt is good")
        for row in database.query("SELECT * FROM jobs WHERE state != 'closed'"):
            self._violate(f"{machine.name}: {row['job']} is {row['state']} in the journal")
        if database.query("SELECT * FROM groups"):
            self._violate(f"{machine.name}: process groups are left in the journal")
        self._states = {
            row["key"]: row["state"] for row in database.query("SELECT * FROM messages")
        }
        self._world.journalled.update(self._states)
        database.close()

    def _is_ended(self, lease: str) -> bool:
        return self.attempts[lease]["state"] not in ("claimed", "started")

    def _check_durable(self, lease: str, step: str, key: str) -> None:
        """A durable result was taken, or it is kept on its disk with a reason."""
        if (lease, step) in self.by_step:
            return
        state = self._world.journalled.get(key)
        if state not in ("superseded", "parked"):
            self._violate(f"{step} of {lease[:8]}: durable, and lost ({state})")

"""People: one edits experiments at any time, and tends to what waits for them."""

from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.store.tables import attempts
from alectio_agent.wire.experiment import ExperimentSettings
from alectio_agent.wire.operation import ExperimentRetry, ExperimentRewind, ExperimentUpdate

if TYPE_CHECKING:
    from tests.simulation.world import World

VERBS = ("pause", "resume", "retry", "reassign", "rewind", "update", "cancel")
LOOK_S = 20.0


class Person:
    """Talks to the hub directly, as the commands do."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.retries = 0

    def begin(self) -> None:
        """Make the experiments, then come back from time to time."""
        for settings in self._world.plan.experiments:
            self._do("create", None, settings=ExperimentSettings.model_validate(settings))
        self._world.scheduler.spawn("person", self._live)

    def _live(self) -> None:
        world = self._world
        while world.faults.is_on:
            world.scheduler.sleep(world.faults.between(5.0, 300.0))
            if world.hub.is_up and world.faults.is_on:
                self._meddle()
        while not self.is_over:
            world.scheduler.sleep(LOOK_S)
            self._tend()

    @property
    def is_over(self) -> bool:
        """Whether every experiment has come to its end."""
        store = self._world.hub.store
        return not store.ask(
            "SELECT 1 FROM experiments WHERE state NOT IN ('finished', 'cancelled')"
        )

    def experiments(self) -> list[Any]:
        """All experiments as they are now."""
        hub = self._world.hub
        return list(hub.store.read(hub.platform.list).result().experiments)

    def _meddle(self) -> None:
        rng = self._world.faults.rng
        view = rng.choice(self.experiments())
        verb = rng.choices(VERBS, (2, 4, 4, 2, 2, 2, 0.3))[0]
        said: dict[str, Any] = {}
        if verb == "rewind":
            said = {"said": ExperimentRewind(loops=1)}
        if verb == "retry" and rng.random() < 0.3:
            said = {"said": ExperimentRetry(step="train")}
        if verb == "update":
            before = view.settings.model_dump(exclude_unset=True)
            changed = {"batch": rng.randint(3, 6), "loops": rng.randint(2, 4)}
            settings = ExperimentSettings.model_validate({**before, **changed})
            said = {"said": ExperimentUpdate(settings=settings)}
        self._do(verb, view.name, **said)

    def _tend(self) -> None:
        """Faults are over: whatever waits for a person gets one."""
        for view in self.experiments():
            if view.state == "waiting":
                if not view.reason:
                    self._world.history.violate(f"{view.name} waits for a person without a reason")
                self.retries += 1
                self._do("retry", view.name)
            elif view.state == "paused":
                self._do("resume", view.name)

    def _do(self, verb: str, name: str | None, **said: Any) -> None:
        world = self._world
        call = partial(getattr(world.hub.platform, verb), **said)
        if name is not None:
            call = partial(call, name=name)
        try:
            world.hub.dealer.write(call).result()
        except ProblemError as error:
            world.history.note("person refused", verb=verb, name=name, why=error.message)
            return
        world.faults.counts[f"person: {verb}"] += verb != "create"
        world.history.note("person", verb=verb, name=name, **said)
        query = select(attempts.c.lease).where(attempts.c.state == "recalled")
        store = world.hub.store
        world.judge.recalled(store.read(lambda tx: set(tx.execute(query).scalars())).result())

"""One method per call of an operator to a hub."""

from urllib.parse import urlencode

from pydantic import BaseModel

from alectio_agent.agent.client.hub_reader import HubReader
from alectio_agent.wire.experiment import ExperimentSettings
from alectio_agent.wire.labels import LabelImport, LabelQueue, LabelsImported
from alectio_agent.wire.operation import (
    AgentList,
    AgentRemove,
    AgentView,
    ExperimentCreate,
    ExperimentExtend,
    ExperimentList,
    ExperimentRetry,
    ExperimentRewind,
    ExperimentUpdate,
    ExperimentView,
    JobList,
    PlatformInfo,
    TokenCreate,
    TokenCreated,
    TokenList,
    TokenView,
)


class OperationClient(HubReader):
    """The hub as an operator or viewer sees it."""

    def platform(self) -> PlatformInfo:
        """Who answers, and what this token may do."""
        return self.call("GET", "/v1/platform", PlatformInfo)

    def create_experiment(
        self, settings: ExperimentSettings, series: str | None = None
    ) -> ExperimentView:
        """Create an experiment; the same settings again change nothing.

        Args:
            settings: From its file.
            series: The name there, when it is made anew under another.

        Raises:
            PlatformRejectedError: `conflict`: the name is taken by other settings.
        """
        record = ExperimentCreate(settings=settings, series=series)
        return self.call("POST", "/v1/experiments", ExperimentView, record)

    def experiments(self) -> ExperimentList:
        """All experiments, without their loops."""
        return self.call("GET", "/v1/experiments", ExperimentList)

    def experiment(
        self, name: str, after: int | None = None, wait_s: float = 0.0
    ) -> ExperimentView:
        """One experiment with its loops.

        Args:
            name: Of the experiment.
            after: Hold the answer until the version is above this.
            wait_s: Longest hold, in seconds.

        Raises:
            PlatformRejectedError: `not-found`.
        """
        query = "" if after is None else "?" + urlencode({"after": after, "wait_s": wait_s})
        path = f"/v1/experiments/{name}{query}"
        return self.call("GET", path, ExperimentView, hold_s=wait_s)

    def pause_experiment(self, name: str) -> ExperimentView:
        """Give out no further job; what runs is finished, and counts.

        Raises:
            PlatformRejectedError: `not-found`, or `conflict` when it does not run.
        """
        return self._steer(name, "pause")

    def resume_experiment(self, name: str) -> ExperimentView:
        """Go on after a pause.

        Raises:
            PlatformRejectedError: `not-found`, or `conflict` when it is not paused.
        """
        return self._steer(name, "resume")

    def cancel_experiment(self, name: str) -> ExperimentView:
        """End an experiment for good.

        Raises:
            PlatformRejectedError: `not-found`, or `conflict` when it has ended.
        """
        return self._steer(name, "cancel")

    def retry_experiment(self, name: str, *, is_from_train: bool = False) -> ExperimentView:
        """Try again what waits for a person, from the step that failed.

        Args:
            name: Of the experiment.
            is_from_train: Train that loop again too, though its train was counted.

        Raises:
            PlatformRejectedError: `not-found`, or `conflict` when nothing waits.
        """
        return self._steer(name, "retry", ExperimentRetry(step="train" if is_from_train else None))

    def rewind_experiment(self, name: str, loops: int = 1) -> ExperimentView:
        """Undo the newest loops, so that they are selected and run again.

        Args:
            name: Of the experiment.
            loops: How many; one that is not done counts as the first.

        Raises:
            PlatformRejectedError: `not-found`, or `conflict` when there are fewer.
        """
        return self._steer(name, "rewind", ExperimentRewind(loops=loops))

    def reassign_experiment(self, name: str) -> ExperimentView:
        """Offer the newest job to any agent now.

        Raises:
            PlatformRejectedError: `not-found`, or `conflict` when its agent is heard of.
        """
        return self._steer(name, "reassign")

    def extend_experiment(
        self, name: str, pool: int | None = None, loops: int | None = None
    ) -> ExperimentView:
        """Let an experiment have more samples, more loops, or both.

        Args:
            name: Of the experiment.
            pool: The new number of samples; without it and `loops` what the agents offer.
            loops: The new number of loops.

        Raises:
            PlatformRejectedError: `not-found`, `invalid`, or `conflict` when it would not grow.
        """
        return self._steer(name, "extend", ExperimentExtend(pool=pool, loops=loops))

    def update_experiment(self, settings: ExperimentSettings) -> ExperimentView:
        """Go on with other settings from the next selection on; the same ones change nothing.

        Args:
            settings: All of them; its name says which experiment.

        Raises:
            PlatformRejectedError: `not-found`, `invalid`, or `conflict` for keys that must stay.
        """
        return self._steer(settings.name, "update", ExperimentUpdate(settings=settings))

    def labels(self, name: str, *, is_whole: bool = False) -> LabelQueue:
        """The samples that people are asked for.

        Args:
            name: Of the experiment.
            is_whole: Those of loops with all their labels too.

        Raises:
            PlatformRejectedError: `not-found`, or `conflict`: it asks nobody.
        """
        query = "?all=true" if is_whole else ""
        return self.call("GET", f"/v1/experiments/{name}/labels{query}", LabelQueue)

    def import_labels(self, name: str, said: LabelImport) -> LabelsImported:
        """Bring labels, all of them or none.

        Args:
            name: Of the experiment.
            said: The rows.

        Raises:
            PlatformRejectedError: `not-found`; `conflict`: it asks nobody; `invalid`, with `rows`.
        """
        return self.call("POST", f"/v1/experiments/{name}/labels", LabelsImported, said)

    def jobs(self) -> JobList:
        """All jobs that are not done."""
        return self.call("GET", "/v1/jobs", JobList)

    def agents(self) -> AgentList:
        """All agents that ever registered and were not removed."""
        return self.call("GET", "/v1/agents", AgentList)

    def remove_agent(self, agent_id: str, *, is_forced: bool) -> AgentView:
        """Let the hub forget an agent.

        Args:
            agent_id: As the hub calls it.
            is_forced: Though it has jobs in hand.

        Raises:
            PlatformRejectedError: `not-found`, or `conflict` while it holds a lease.
        """
        record = AgentRemove(force=is_forced)
        return self.call("POST", f"/v1/agents/{agent_id}/remove", AgentView, record)

    def create_token(self, request: TokenCreate) -> TokenCreated:
        """Make a token; the answer is the only one that holds it."""
        return self.call("POST", "/v1/tokens", TokenCreated, request)

    def tokens(self) -> TokenList:
        """All tokens that were ever made, never the tokens themselves."""
        return self.call("GET", "/v1/tokens", TokenList)

    def revoke_token(self, name: str) -> TokenView:
        """Let the good token of that name open nothing any more.

        Raises:
            PlatformRejectedError: `not-found`, or `conflict` when it is good no more.
        """
        return self.call("POST", f"/v1/tokens/{name}/revoke", TokenView)

    def _steer(self, name: str, verb: str, record: BaseModel | None = None) -> ExperimentView:
        return self.call("POST", f"/v1/experiments/{name}/{verb}", ExperimentView, record)

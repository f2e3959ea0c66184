"""What may leave the site: `pipelines.NAME.share` of `agent.yaml`."""

from typing import Literal

from alectio_agent.config.section import Section

LogShare = Literal["none", "tail", "full"]
LabelShare = Literal["none", "counts", "full"]


class ShareSettings(Section):
    """Section `share` of a pipeline. A hub on this machine gets everything, unless a key is set.

    Attributes:
        outputs: What leaves of `infer`: its rows.
        test: What leaves of `test`: its predictions, with the labels of the test set.
        logs: What leaves of what the hooks print: nothing, its end when the job is over, or all.
        tracebacks: Types and line numbers, or all of it with messages, which may quote data.
        names: Whether the record names from `state()` leave.
        hyperparams: Whether the hyperparameters that `train` returns leave.
        labels: What leaves of the labels that `train` returns: nothing, a count for each class, or
            all.
        host: Whether the name of this agent leaves; with `none`, one that is not configured is told
            as agent-<8 hex>.
    """

    outputs: Literal["rows"] = "rows"
    test: Literal["predictions"] = "predictions"
    logs: LogShare = "none"
    tracebacks: Literal["types", "full"] = "types"
    names: bool = False
    hyperparams: bool = False
    labels: LabelShare = "none"
    host: Literal["none", "name"] = "none"

    def opened(self) -> "ShareSettings":
        """For a hub on this machine: everything, but for keys that somebody has set."""
        return OPEN.model_copy(update={key: getattr(self, key) for key in self.model_fields_set})


OPEN = ShareSettings(
    logs="full", tracebacks="full", names=True, hyperparams=True, labels="full", host="name"
)

"""What each field on the wire holds, and which key of `share` decides whether it leaves.

Complete: a test compares it with the records of the wire.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """One thing that can leave.

    Attributes:
        holds: In words.
        key: Of `share`; empty: it always leaves when there is something to tell.
        opens: The values of the key with which it leaves.
        instead: What leaves with other values; empty: nothing.
    """

    holds: str
    key: str = ""
    opens: tuple[object, ...] = ()
    instead: str = ""


PATHS = ("tracebacks", ("full",))
CALLS = {
    "header": "with every call",
    "register": "POST /v1/agents: at each start",
    "leave": "DELETE /v1/agents/AGENT: at a clean end, without a body",
    "poll": "POST /v1/claims: may I have a job?",
    "beat": "POST /v1/jobs/JOB/heartbeat: about every 30 s of a job",
    "commit": "PUT /v1/jobs/JOB/steps/STEP: a result",
    "part": "PUT /v1/jobs/JOB/parts/SHA256: a file of a result, or a piece of it",
    "fail": "POST /v1/jobs/JOB/fail: no result, or a job handed back",
    "log": "PUT /v1/jobs/JOB/log: what the hooks print",
    "names": "PUT /v1/agents/AGENT/names/SHA256: record names",
    "check": "GET /v1/platform, PUT /v1/probe: check, enroll",
    "experiment": "POST /v1/experiments/...: experiment create, retry, extend and so on",
    "labels": "POST /v1/experiments/NAME/labels: experiment labels import",
    "hub": "POST /v1/tokens, /v1/agents/AGENT/remove: hub token, hub agents",
}
TYPED = ("check", "experiment", "labels", "hub")
"""Of these, what only commands say that a person types: the agent's record does not have it."""
FIELDS: dict[str, Field] = {
    "header.Authorization": Field("the agent's token"),
    "header.Alectio-Protocol": Field("number of the protocol"),
    "header.Alectio-Lease": Field("random name of the attempt, given by the platform"),
    "header.Host": Field("of the platform"),
    "header.User-Agent": Field("name and version of the HTTP library"),
    "header.Accept-Encoding": Field("always `identity`"),
    "header.Proxy-Authorization": Field("to the proxy alone: its user and password"),
    "header.Content-Type": Field("form of the body, such as `application/json`"),
    "header.Content-Encoding": Field("`gzip`, of record names"),
    "header.Content-Length": Field("bytes of the body"),
    "header.Content-Range": Field("place of a piece in its part"),
    "register.installation_id": Field("random, made with the state folder"),
    "register.boot.count": Field("how often the agent was started"),
    "register.boot.id": Field("random, of this start"),
    "register.name": Field(
        "agent.name; the host's name when that is not set",
        "host", ("name",), "agent.name if it is set, else agent-<8 hex>",
    ),
    "register.version": Field("of this program"),
    "register.pipelines.name": Field("as in agent.yaml"),
    "register.pipelines.pool_size": Field("number of samples"),
    "register.pipelines.state_digest": Field("SHA-256 over all record names"),
    "register.pipelines.state_size": Field("number of record names"),
    "register.pipelines.store": Field("checkpoints.store"),
    "register.pipelines.shares_names": Field("whether names may be asked for"),
    "register.slots": Field("number of slots"),
    "register.tags": Field("agent.tags"),
    "register.holding": Field("leases in hand"),
    "register.seq": Field("number of the newest claim"),
    "register.checkpoints.experiment": Field("name of an experiment with checkpoints here"),
    "register.checkpoints.name": Field("names of its checkpoints, never the files"),
    "poll.agent_id": Field("given by the platform"),
    "poll.boot": Field("random, of this start"),
    "poll.seq": Field("number of the claim"),
    "poll.wait_s": Field("how long to wait"),
    "poll.free": Field("names of pipelines with a free slot"),
    "poll.refused.seq": Field("number of a claim that was refused"),
    "poll.refused.reason": Field("why: which rule it breaks"),
    "beat.step": Field("train, test or infer"),
    "beat.state": Field("running or delivering"),
    "beat.progress.done": Field("as the hook tells progress()"),
    "beat.progress.total": Field("as the hook tells progress()"),
    "beat.progress.numbers": Field("as the hook tells progress(), with their names"),
    "commit.key": Field("random, of this result"),
    "commit.media_type": Field("form of the parts"),
    "commit.rows": Field("number of rows"),
    "commit.parts.sha256": Field("of each part"),
    "commit.parts.bytes": Field("of each part"),
    "commit.parts.rows": Field("of each part"),
    "commit.inline.rows": Field(
        "a small result: predictions and labels of the test set, rows of scores of infer",
    ),
    "commit.inline.hyperparams": Field("those that train returns", "hyperparams", (True,)),
    "commit.inline.labels": Field("labels that train returns", "labels", ("full",)),
    "commit.inline.label_counts": Field(
        "how many of these there are of each class", "labels", ("counts", "full")
    ),
    "commit.started_at": Field("time, by this machine's clock"),
    "commit.finished_at": Field("time, by this machine's clock"),
    "commit.duration_s": Field("seconds that the hook took"),
    "commit.warnings": Field(
        "what the check of the result noticed", *PATHS, "the same, of paths the last part",
    ),
    "commit.provenance.code.digest": Field("SHA-256 over the hooks' folder"),
    "commit.provenance.code.files": Field("its source files: names and digests", *PATHS),
    "commit.provenance.code.is_whole": Field("whether all of it was looked at"),
    "commit.provenance.code.git_commit": Field("commit that is checked out"),
    "commit.provenance.code.is_dirty": Field("whether files differ from it"),
    "commit.provenance.interpreter.version": Field("of Python"),
    "commit.provenance.interpreter.implementation": Field("of Python"),
    "commit.provenance.interpreter.path": Field("of Python", *PATHS),
    "commit.provenance.interpreter.packages": Field("names and versions of what is installed"),
    "commit.provenance.args": Field(
        "args of the pipeline; never one whose key sounds secret", "hyperparams", (True,)
    ),
    "commit.provenance.args_digest": Field(
        "SHA-256 of them", "hyperparams", (True,), "one made with a key that stays here",
    ),
    "part.body": Field(
        "rows of a result: predictions and labels of the test set, rows of scores of infer"
    ),
    "fail.key": Field("random, of this failure"),
    "fail.step": Field("train, test or infer"),
    "fail.class": Field("such as user_code or timeout"),
    "fail.message": Field(
        "what went wrong", *PATHS, "the first line; of an exception only file, line and type",
    ),
    "fail.traceback": Field("of an exception in the hooks", *PATHS, "files, lines and types"),
    "fail.finished_at": Field("time, by this machine's clock"),
    "fail.partial": Field("name of a partial checkpoint, never the file"),
    "log.body": Field(
        "what the hooks print: its end (8 MiB), with `full` its beginning (8 MiB) too",
        "logs", ("tail", "full"),
    ),
    "names.body": Field("record names from state()", "names", (True,)),
    "check.wait_s": Field("how long the answer is to be held"),
    "check.body": Field("random bytes, at most 4 MiB at once"),
    "experiment.settings": Field("experiment.yaml, as it was read"),
    "experiment.series": Field("its name, when it is made anew under another"),
    "experiment.step": Field("train: that it is trained again"),
    "experiment.loops": Field("number of loops"),
    "experiment.pool": Field("number of samples"),
    "labels.rows.index": Field("of a sample that people were asked for"),
    "labels.rows.label": Field("as in the file that is named; `share` does not keep it back"),
    "labels.rows.annotator": Field("as in that file"),
    "labels.rows.seconds": Field("as in that file"),
    "labels.only_check": Field("whether it is only tried"),
    "hub.name": Field("of a token that is made"),
    "hub.scope": Field("agent, viewer or operator"),
    "hub.expires_s": Field("how long it is good"),
    "hub.force": Field("whether an agent with a job is forgotten"),
}  # fmt: skip

"""What stands behind each problem type: when it comes, what it brings, what is done about it.

`docs/problems.md` and the OpenAPI document are made from here; no program acts on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ProblemNote:
    """One type, told to whoever meets it.

    Attributes:
        when: When it comes.
        agent: What an agent does.
        person: What a person does.
        members: Further members of its document, beside the standard ones and `code`: what each
            holds. All but the first of `parts-missing` and those of `unsupported-protocol` may be
            missing.
    """

    when: str
    agent: str
    person: str
    members: Mapping[str, str] = field(default_factory=dict)


OPERATORS_ONLY = "Never gets it about its own work."
NEVER_AGAIN = (
    "Parks the message, keeps its files, and fails the job with class `rejected`; what was "
    "delivered before stays. A part whose file is right is sent anew first."
)
MENDED_BY_PEOPLE = (
    "Reads the token file again before every call, goes on with what it computes, and asks every "
    "minute or two."
)
PROBLEM_NOTES = {
    "lease-lost": ProblemNote(
        when="A call about a job carries a lease that is no longer the job's, or that this "
        "platform never gave: another attempt has committed a step, the attempt failed, or its "
        "last step was committed.",
        agent="Ends the hook, keeps what it computed as superseded, and goes on with other jobs.",
        person="Nothing. After a hub's folder was replaced by an older copy: the loop runs again.",
    ),
    "job-closed": ProblemNote(
        when="A beat or a part for a job that is done or cancelled. Never the answer to a commit.",
        agent="The same as for `lease-lost`.",
        person="Nothing.",
    ),
    "parts-missing": ProblemNote(
        when="A commit names parts that are not there whole, or a slice begins behind the bytes "
        "that are there.",
        agent="Sends what is missing, from `have` on, and the commit again.",
        person="Nothing.",
        members={
            "missing": "a list of `{sha256, have}`: each such part, and how many of its bytes are "
            "there from the first on without a gap",
        },
    ),
    "stale-seq": ProblemNote(
        when="A claim has a lower `seq` than one that came before in the same boot.",
        agent="Registers again, and counts on from its journal.",
        person="Nothing, unless it comes again and again: then two agents share a state folder.",
    ),
    "superseded-boot": ProblemNote(
        when="A registration has a lower boot count than the newest of that installation, or the "
        "same count with another id; a claim comes from a boot that was followed by another one.",
        agent="After a claim, registers again: a platform that was restored from a backup may "
        "know an earlier boot. When that is refused as well, cancels the hook, keeps the results, "
        "and exits with 78.",
        person="Another agent runs with this identity: give each its own `agent.state_dir`; a "
        "state folder must not be copied to a second machine.",
    ),
    "conflict": ProblemNote(
        when="An operator's verb does not fit the state: it exists already, has ended, is paused, "
        "or would change what must stay.",
        agent=OPERATORS_ONLY,
        person="Reads `detail` and looks up `code` (`alectio-agent explain CODE`). Nothing was "
        "changed.",
        members={
            "keys": "names of settings that differ or cannot change",
            "fixed": "those of `keys` that cannot change any more",
            "next_loop": "the first loop that the changes would be about",
            "loops": "how many loops the experiment has",
        },
    ),
    "invalid": ProblemNote(
        when="The request breaks the protocol: a body that is no such record, is too large or "
        "cannot be unpacked, a path or a header that breaks its pattern, a part with another "
        "digest, a result that does not fit the experiment.",
        agent=NEVER_AGAIN,
        person="`detail` says where and what. About a result: the hooks' output does not fit the "
        "experiment's settings. Else one side is newer: update the older one.",
        members={
            "rows": "of an import of labels: the first rows that are wrong, as `{row, problem}`",
            "wrong_rows": "how many there are in all",
        },
    ),
    "key-reused": ProblemNote(
        when="A commit or a failure has the key of an earlier one, and other content.",
        agent=NEVER_AGAIN,
        person="A defect of the client: a key belongs to one result.",
    ),
    "unknown-agent": ProblemNote(
        when="A claim or names of records come from an agent that never registered here, or from a "
        "start of it that did not: such as at a platform that was restored from a backup. One that "
        "has started anew may ask it of agents that had jobs.",
        agent="Registers, telling which jobs it holds, and asks again.",
        person="Nothing.",
    ),
    "not-found": ProblemNote(
        when="No experiment, job, log, file or token has this name; or the platform does not serve "
        "this path with this method.",
        agent=OPERATORS_ONLY,
        person="Checks the name: `alectio-agent experiment list`. A path of the protocol that is "
        "not served: the platform is older than the client.",
    ),
    "unauthorized": ProblemNote(
        when="No bearer token came, or one that this platform does not know.",
        agent=MENDED_BY_PEOPLE,
        person="Puts a good token into the token file: `alectio-agent hub token create NAME` on "
        "the hub's machine.",
    ),
    "expired": ProblemNote(
        when="The token's time is over.",
        agent=MENDED_BY_PEOPLE,
        person="Puts a new token into the token file, in time with `--expires` or without.",
    ),
    "revoked": ProblemNote(
        when="An operator revoked the token.",
        agent="Cancels the hook with its grace, keeps the results, and exits with 77.",
        person="If that was not meant: a new token into the token file, and start the agent again.",
    ),
    "forbidden": ProblemNote(
        when="The token is good, but its scope (agent, operator, viewer) does not allow this call.",
        agent="The same as for `revoked`.",
        person="Uses a token of the right scope: `alectio-agent hub token create NAME --scope S`.",
    ),
    "unsupported-protocol": ProblemNote(
        when="`Alectio-Protocol` is missing, or names a number that the platform does not speak.",
        agent="Says which side is older, keeps everything, and asks every minute or two.",
        person="Updates the older side: `pip install -U alectio-agent`.",
        members={"min": "the smallest protocol that is spoken", "max": "the largest"},
    ),
}

"""What a train run was made of, as far as it may leave the site; every field may be missing."""

from typing import Annotated

from pydantic import Field, JsonValue, StringConstraints

from alectio_agent.wire.names import Digest
from alectio_agent.wire.records import Record

MOST_FILES = 500
MOST_PACKAGES = 2000
MOST_ARGS_BYTES = 16 * 2**10
LONGEST_NAME = 500

Word = Annotated[str, StringConstraints(max_length=100)]
FileName = Annotated[str, StringConstraints(max_length=LONGEST_NAME)]
ShortDigest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]
GitCommit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{7,64}$")]


class Code(Record):
    """The user's own source files in the hooks' folder.

    Attributes:
        digest: SHA-256 over their names and contents.
        files: First digits of the SHA-256 of each, by its path in the folder.
        is_whole: Whether every folder was looked at; large ones are not.
        is_dirty: Whether git says that something differs from the commit.
    """

    digest: Digest | None = None
    files: dict[FileName, ShortDigest] = Field(default={}, max_length=MOST_FILES)
    is_whole: bool | None = None
    git_commit: GitCommit | None = None
    is_dirty: bool | None = None


class Interpreter(Record):
    """The Python that the hooks ran in.

    Attributes:
        version: Such as `3.11.2`.
        implementation: Such as `cpython`.
        packages: Version of each installed package, by its name.
    """

    version: Word | None = None
    implementation: Word | None = None
    path: FileName | None = None
    packages: dict[Word, Word] = Field(default={}, max_length=MOST_PACKAGES)


class Provenance(Record):
    """Part of the commit of `train`; not compared when its key comes again.

    Attributes:
        args: As the hook got them, less what is the agent's own; None when they stay there, or
            take more than 16 KiB.
        args_digest: SHA-256 over them as JSON with sorted keys; elsewhere an HMAC with a key that
            stays with the agent.
    """

    code: Code = Code()
    interpreter: Interpreter = Interpreter()
    args: dict[str, JsonValue] | None = None
    args_digest: Digest | None = None

"""What leaves the site about what a train run was made of."""

import json
from pathlib import Path
from typing import Any

import pytest

from alectio_agent.agent.hooks.git_state import GitState
from alectio_agent.agent.hooks.provenance import Code, Provenance
from alectio_agent.agent.jobs.share import Share
from alectio_agent.config.share import OPEN, ShareSettings

HERE, ELSEWHERE = Share(OPEN), Share()
DIGEST = "ab" * 32


SOUNDS_SECRET = {
    "max_tokens": 5, "maxTokens": 5.5, "tokenizer": "t", "keys": 3, "key": "lr", "sort_key": "id",
    "author": "jo", "passes": 2, "secret_ward": "7", "": 1, "1": 2,
}  # fmt: skip


def found(**changed: Any) -> Provenance:
    code = Code(DIGEST, {"ward7/net.py": DIGEST}, is_whole=True, git=GitState("c" * 40, True))
    interpreter = {"version": "3.11.2", "implementation": "cpython", "packages": {"numpy": "2.0"}}
    args = {"lr": 0.1, "secret_ward": "7"}
    made = {"code": code, "python": Path("/home/jo/python"), "interpreter": interpreter}
    return Provenance(**{**made, "args": args, **changed})


def test_on_this_machine_everything_is_told() -> None:
    told = HERE.provenance(found())
    assert told is not None
    assert told.code.files == {"ward7/net.py": "abababababab"}
    assert (told.code.git_commit, told.code.is_dirty) == ("c" * 40, True)
    assert told.interpreter.path == "/home/jo/python"
    assert told.args == {"lr": 0.1, "secret_ward": "7"}


def test_elsewhere_no_names_no_args_and_no_paths_are_told() -> None:
    told = ELSEWHERE.provenance(found())
    assert told is not None
    text = told.model_dump_json()
    for private in ("net.py", "ward", "home", "0.1"):
        assert private not in text
    assert told.model_dump(exclude_defaults=True) == {
        "code": {
            "digest": DIGEST, "is_whole": True, "git_commit": "c" * 40, "is_dirty": True,
        },
        "interpreter": {
            "version": "3.11.2", "implementation": "cpython", "packages": {"numpy": "2.0"},
        },
        "args_digest": told.args_digest,
    }  # fmt: skip


def test_arguments_leave_as_hyperparameters_and_names_of_files_as_texts() -> None:
    args = Share(ShareSettings(hyperparams=True)).provenance(found())
    paths = Share(ShareSettings(tracebacks="full")).provenance(found())
    assert args is not None
    assert (args.args, args.code.files) == ({"lr": 0.1, "secret_ward": "7"}, {})
    assert paths is not None
    assert (paths.args, paths.interpreter.path) == (None, "/home/jo/python")


def test_changed_args_show_elsewhere_by_their_digest_alone() -> None:
    digests = [
        told.args_digest
        for args in ({"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 1, "b": 3})
        if (told := ELSEWHERE.provenance(found(args=args)))
    ]
    assert digests[0] == digests[1] != digests[2]


def test_args_cannot_be_guessed_elsewhere_by_their_digest() -> None:
    first, second = Share(digest_key=b"1"), Share(digest_key=b"2")
    digests = {who.provenance(found()).args_digest for who in (HERE, first, second)}  # type: ignore[union-attr]
    assert len(digests) == 3


def test_steps_other_than_train_tell_nothing() -> None:
    assert HERE.provenance(None) is None


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "hf_token",
        "API_KEY",
        "apikey",
        "aws-secret",
        "credentials",
        "api-key",
        "access-key",
        "authToken",
        "dbPassword",
        "pwd",
        "passphrase",
        "private_key",
        "secret_key",
        "tokens",
        "auth",
        "db.password",
        "awsSecretAccessKey",
        "APIKey",
        "token2",
        "api_keys",
    ],
)
def test_values_of_secret_keys_stay_out_of_results_files(key: str) -> None:
    told = HERE.provenance(found(args={"deep": [{key: "s3cret"}]}))
    assert told is not None
    assert told.args == {"deep": [{key: "(hidden)"}]}
    assert told.args_digest == HERE.provenance(found(args={"deep": [{key: "x"}]})).args_digest  # type: ignore[union-attr]


def test_args_that_only_sound_secret_are_told() -> None:
    told = HERE.provenance(found(args=SOUNDS_SECRET))
    assert told is not None
    assert told.args == SOUNDS_SECRET


def test_large_args_are_told_by_their_digest() -> None:
    told = HERE.provenance(found(args={str(at): "x" * 500 for at in range(50)}))
    assert told is not None
    assert told.args is None
    assert told.args_digest is not None


def test_many_files_and_long_names_stay_in_bounds() -> None:
    files = {f"{'d/' * 300}{at}.py": DIGEST for at in range(600)}
    told = HERE.provenance(found(code=Code(DIGEST, files, is_whole=True, git=None)))
    assert told is not None
    assert len(told.code.files) == 500
    assert len(json.dumps(told.model_dump())) < 500_000


def test_what_the_wire_cannot_hold_costs_no_train_run() -> None:
    assert HERE.provenance(found(interpreter={"version": 3})) is None

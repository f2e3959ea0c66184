"""The form of a hook is read from its signature; the hook is never called to find out."""

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import pytest

from alectio_agent.agent.hooks.child.failures import LoadError
from alectio_agent.agent.hooks.child.signatures import read_signature

PAYLOAD = {
    "ckpt_file": "c", "labeled": [1], "resume_from": None, "args": {"a": 1}, "loop": 3, "seed": 7,
}  # fmt: skip


def define(source: str) -> Callable[..., Any]:
    """A function at the top level of a module of its own, which gives what it was called with."""
    names: dict[str, Any] = {"functools": functools, "asyncio": asyncio}
    exec(compile(source, "/srv/hooks.py", "exec"), names)
    found: Callable[..., Any] = names["hook"]
    return found


def returning(signature: str) -> Callable[..., Any]:
    return define(f"def hook({signature}):\n    return dict(locals())\n")


@pytest.mark.parametrize(
    ("step", "signature", "form"),
    [
        ("train", "payload", "payload"),
        ("train", "anything, /", "payload"),
        ("train", "payload, verbose=False", "payload"),
        ("train", "payload, *rest, fast=True", "payload"),
        ("train", "args, labeled, resume_from, ckpt_file", "keywords"),
        ("train", "config, labeled, resume_from, ckpt_file", "keywords"),
        ("train", "labeled, ckpt_file", "keywords"),
        ("train", "*, args, labeled, resume_from, ckpt_file", "keywords"),
        ("train", "**anything", "keywords"),
        ("train", "args, **anything", "keywords"),
        ("train", "args, labeled, resume_from, ckpt_file, epochs=3", "keywords"),
        ("test", "args, ckpt_file", "keywords"),
        ("test", "ckpt_file", "keywords"),
        ("infer", "args, unlabeled, ckpt_file", "keywords"),
        ("state", "payload", "payload"),
        ("state", "args", "keywords"),
        ("state", "args, verbose=True", "keywords"),
    ],
)
def test_the_signature_decides(step: str, signature: str, form: str) -> None:
    assert read_signature(step, returning(signature)).form == form


@pytest.mark.parametrize(
    ("step", "signature"),
    [
        ("train", ""),
        ("train", "payload, other"),
        ("train", "*rest"),
        ("train", "*, payload"),
        ("train", "payload, *, other"),
        ("train", "payload=None"),
        ("train", "args, ckpt_file"),
        ("train", "args, labeled"),
        ("train", "args, unlabeled, labeled, ckpt_file"),
        ("train", "args, labeled, ckpt_file, model"),
        ("test", "args, ckpt_file, labeled"),
        ("infer", "args, ckpt_file"),
        ("state", ""),
        ("state", "args, other"),
    ],
)
def test_anything_else_is_refused_with_place_and_both_forms(step: str, signature: str) -> None:
    with pytest.raises(LoadError) as failed:
        read_signature(step, returning(signature))
    assert f"/srv/hooks.py:1 hook `{step}` has the signature hook({signature})" in str(failed.value)
    assert f"; expected {'state' if step == 'state' else step}(payload) or " in str(failed.value)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("hook = lambda payload: None", "a lambda"),
        ("def make():\n    def hook(payload): pass\n    return hook\nhook = make()", "a nested"),
        ("def bare(f):\n    def inner(p): return f(p)\n    return inner\n"
         "@bare\ndef hook(payload): pass", "functools.wraps"),
        ("hook = 3", "is a int; expected a function"),
        ("async def hook(payload): pass", "a coroutine or generator"),
        ("def hook(payload): yield 1", "a coroutine or generator"),
        ("hook = type", "no readable signature"),
    ],
)  # fmt: skip
def test_what_is_no_function_of_a_module_is_refused_with_a_mend(source: str, said: str) -> None:
    with pytest.raises(LoadError) as failed:
        read_signature("train", define(source))
    assert said in str(failed.value)


def test_a_decorator_that_wraps_shows_the_signature_below_it() -> None:
    source = (
        "def wrapping(f):\n    @functools.wraps(f)\n    def inner(*a, **k): return f(*a, **k)\n"
        "    return inner\n@wrapping\ndef hook(payload): return payload['loop']\n"
    )
    hook = read_signature("train", define(source))
    assert hook.form == "payload"
    assert hook.call(dict(PAYLOAD)) == 3


@pytest.mark.parametrize(
    ("signature", "got"),
    [
        ("payload", {"payload": PAYLOAD}),
        ("args, labeled, resume_from, ckpt_file",
         {"args": {"a": 1}, "labeled": [1], "resume_from": None, "ckpt_file": "c"}),
        ("config, labeled, ckpt_file", {"config": {"a": 1}, "labeled": [1], "ckpt_file": "c"}),
        ("args, /, labeled, *rest, ckpt_file, epochs=3",
         {"args": {"a": 1}, "labeled": [1], "ckpt_file": "c", "epochs": 3, "rest": ()}),
        ("labeled, ckpt_file, seed=1", {"labeled": [1], "ckpt_file": "c", "seed": 7}),
        ("**all", {"all": {"args": {"a": 1}, "labeled": [1], "resume_from": None,
                           "ckpt_file": "c"}}),
        ("config, **rest", {"config": {"a": 1}, "rest": {"labeled": [1], "resume_from": None,
                                                         "ckpt_file": "c"}}),
    ],
)  # fmt: skip
def test_a_hook_gets_what_its_parameters_name(signature: str, got: dict[str, Any]) -> None:
    assert read_signature("train", returning(signature)).call(dict(PAYLOAD)) == got


@pytest.mark.parametrize("labels", [None, {1: "cat"}])
def test_labels_by_people_are_handed_to_a_parameter_of_that_name(labels: Any) -> None:
    hook = read_signature("train", returning("args, labeled, ckpt_file, labels"))
    assert hook.call({**PAYLOAD, "labels": labels})["labels"] == labels


def test_any_keywords_hold_labels_only_when_people_gave_some() -> None:
    """Scripts of the old SDK hand on what they get."""
    hook = read_signature("train", returning("**all"))
    assert "labels" not in hook.call({**PAYLOAD, "labels": None})["all"]
    assert hook.call({**PAYLOAD, "labels": {1: 0}})["all"]["labels"] == {1: 0}


@pytest.mark.parametrize("partial", [None, "c.partial"])
def test_a_partial_checkpoint_is_handed_to_a_parameter_of_that_name(partial: Any) -> None:
    hook = read_signature("train", returning("args, labeled, resume_from, ckpt_file, partial"))
    assert hook.call({**PAYLOAD, "partial": partial})["partial"] == partial


def test_any_keywords_hold_a_partial_checkpoint_only_when_there_is_one() -> None:
    hook = read_signature("train", returning("**all"))
    assert "partial" not in hook.call({**PAYLOAD, "partial": None})["all"]
    assert hook.call({**PAYLOAD, "partial": "c.partial"})["all"]["partial"] == "c.partial"


@pytest.mark.parametrize("name", ["labels", "partial"])
def test_only_train_may_ask_for_labels_and_partial_checkpoints(name: str) -> None:
    with pytest.raises(LoadError):
        read_signature("infer", returning(f"args, unlabeled, ckpt_file, {name}"))

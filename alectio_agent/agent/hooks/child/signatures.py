"""The two forms of hooks, told apart by their signatures; a hook is never called to find out."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter
from typing import Any, Optional

from alectio_agent.agent.hooks.child.failures import LoadError

MARKS = {"ckpt_file", "labeled", "unlabeled", "resume_from"}
NEEDED = {"train": ("labeled", "ckpt_file"), "test": ("ckpt_file",)}
NEEDED["infer"] = ("unlabeled", "ckpt_file")
FORMS = {
    "train": "train(payload) or train(args, labeled, resume_from, ckpt_file)",
    "test": "test(payload) or test(args, ckpt_file)",
    "infer": "infer(payload) or infer(args, unlabeled, ckpt_file)",
    "state": "state(payload) or getdatasetstate(args)",
}
KEYWORDS = ("args", "labeled", "unlabeled", "resume_from", "ckpt_file")
SELDOM = ("labels", "partial")
"""Of `train` only, and mostly None: labels by people, and what an interrupted train left."""


@dataclass(frozen=True)
class Hook:
    """A function of the user, and how to call it.

    Attributes:
        form: `payload` or `keywords`.
        args_name: Name of the parameter that gets `args`; None when there is none.
    """

    step: str
    function: Callable[..., Any]
    signature: inspect.Signature
    form: str
    args_name: Optional[str]

    def call(self, payload: dict[str, Any]) -> Any:
        """Call the function.

        Args:
            payload: Everything that the step knows; holds `args`.

        Returns:
            Whatever it returns.
        """
        if self.form == "payload":
            return self.function(payload)
        bound = inspect.BoundArguments(self.signature, OrderedDict())
        for name, parameter in self.signature.parameters.items():
            if parameter.kind is Parameter.VAR_KEYWORD:
                taken = {*bound.arguments, *(("args",) if self.args_name else ())}
                # Scripts of the old SDK hand on what they get: they know none of these.
                seldom = [key for key in SELDOM if payload.get(key) is not None]
                bound.arguments[name] = {
                    key: payload[key]
                    for key in (*KEYWORDS, *seldom)
                    if key in payload and key not in taken
                }
            elif name == self.args_name:
                bound.arguments[name] = payload["args"]
            elif name in payload:
                bound.arguments[name] = payload[name]
        return self.function(*bound.args, **bound.kwargs)


def read_signature(step: str, function: Any) -> Hook:
    """Find out how a hook wants to be called.

    Args:
        step: `train`, `test`, `infer` or `state`.
        function: What the user gave.

    Returns:
        The hook.

    Raises:
        LoadError: It can be called in neither form.
    """
    _check_callable(step, function)
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        raise LoadError(
            "hook `{}` has no readable signature; expected {}".format(step, FORMS[step])
        ) from None
    parameters = signature.parameters
    if _is_keyword_form(step, parameters):
        args_name = _find_args(step, function, parameters)
        return Hook(step, function, signature, "keywords", args_name)
    if not _takes_payload(parameters):
        raise LoadError(_unfit(step, function, signature))
    return Hook(step, function, signature, "payload", None)


def _check_callable(step: str, function: Any) -> None:
    if not callable(function):
        found = type(function).__name__
        raise LoadError("hook `{}` is a {}; expected a function".format(step, found))
    name = getattr(function, "__qualname__", "")
    if "<lambda>" in name or "<locals>" in name:
        what = "a lambda" if "<lambda>" in name else "a nested function ({})".format(name)
        raise LoadError(
            "hook `{0}` is {1}. Define it with `def` at the top level of a module; if a decorator "
            "made it, the decorator needs functools.wraps".format(step, what)
        )
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise LoadError(
            "hook `{}` is a coroutine or generator; expected a function that returns its "
            "result".format(step)
        )


def _is_keyword_form(step: str, parameters: Mapping[str, Parameter]) -> bool:
    if any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters.values()):
        return True
    return bool(MARKS & parameters.keys()) or (step == "state" and "args" in parameters)


def _takes_payload(parameters: Mapping[str, Parameter]) -> bool:
    required = [p for p in parameters.values() if _is_required(p)]
    positional = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    return len(required) == 1 and required[0].kind in positional


def _find_args(step: str, function: Any, parameters: Mapping[str, Parameter]) -> Optional[str]:
    """Which parameter gets `args`: the one of that name, else an unknown first one."""
    known = {"ckpt_dir", "loop", "seed", *KEYWORDS, *(SELDOM if step == "train" else ())}
    unknown = [name for name, p in parameters.items() if _is_required(p) and name not in known]
    first = next(iter(parameters))
    args_name = "args" if "args" in parameters else None
    if args_name is None and unknown == [first]:
        args_name, unknown = first, []
    takes_all = any(p.kind is Parameter.VAR_KEYWORD for p in parameters.values())
    lacking = [name for name in NEEDED.get(step, ()) if name not in parameters and not takes_all]
    foreign = [name for name in MARKS - set(_offered(step)) if _asks_for(name, parameters)]
    if unknown or lacking or foreign:
        raise LoadError(_unfit(step, function, inspect.signature(function)))
    return args_name


def _offered(step: str) -> tuple[str, ...]:
    """Which of the telling names a step has."""
    return ("resume_from", *NEEDED["train"]) if step == "train" else NEEDED.get(step, ())


def _asks_for(name: str, parameters: Mapping[str, Parameter]) -> bool:
    return name in parameters and _is_required(parameters[name])


def _is_required(parameter: Parameter) -> bool:
    variadic = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    return parameter.default is Parameter.empty and parameter.kind not in variadic


def _unfit(step: str, function: Any, signature: inspect.Signature) -> str:
    name = getattr(function, "__name__", step)
    code = getattr(inspect.unwrap(function), "__code__", None)
    place = "{}:{} ".format(code.co_filename, code.co_firstlineno) if code else ""
    return "{}hook `{}` has the signature {}{}; expected {}".format(
        place, step, name, signature, FORMS[step]
    )

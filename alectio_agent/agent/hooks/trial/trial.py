"""The checks of `try`, one after the other."""

from collections.abc import Callable, Iterator

from alectio_agent.agent.hooks.inspection import HookInspection
from alectio_agent.agent.hooks.trial import verdicts
from alectio_agent.agent.hooks.trial.agreement import (
    Agreement,
    accuracy,
    compare_tests,
    differing_rows,
)
from alectio_agent.agent.hooks.trial.attempts import Attempts, Finding
from alectio_agent.agent.hooks.trial.bench import Ran, TrialBench
from alectio_agent.agent.hooks.trial.order import Samples
from alectio_agent.agent.hooks.trial.tested_scores import scores_of, unlikely_predictions
from alectio_agent.agent.hooks.trial.written import snapshot, written_between
from alectio_agent.core.checks import Check
from alectio_agent.core.errors import HookCrashedError, HookRaisedError
from alectio_agent.core.units import format_duration, format_size

SLOW_S = 120.0
"""A `train` that takes longer is not repeated only to see whether it is repeatable."""

FRESH = "fresh process: "


class Trial:
    """One small loop, and what shows only the second time."""

    def __init__(
        self,
        bench: TrialBench,
        attempts: Attempts,
        choose: Callable[[HookInspection], Samples],
    ) -> None:
        """Begin with nothing loaded.

        Args:
            bench: Runs the steps.
            attempts: Makes checks of them.
            choose: The samples, once it is known how many the hooks name.
        """
        self._bench = bench
        self._order = bench.order
        self._attempts = attempts
        self._choose = choose
        self._samples = Samples([], [])
        self._written: list[str] = []
        self._tested: Ran | None = None
        self._inferred: Ran | None = None
        self._anew: Ran | None = None

    def all(self) -> Iterator[Check]:
        """The whole loop."""
        yield self._attempts.make("load", self._load)
        yield self._attempts.make("train", self._train, needs="load")
        yield self._attempts.make("test", self._test, needs="train")
        yield self._attempts.make("infer", self._infer, needs="train")
        self._bench.refresh()
        yield self._attempts.make("test again", self._test_again, needs="test")
        yield self._attempts.make("infer again", self._infer_again, needs="infer")
        yield self._attempts.make("resume", self._resume, needs="train")
        self._bench.refresh()
        if self._attempts.seconds("train") > SLOW_S and not self._order.is_full:
            took = format_duration(self._attempts.seconds("train"))
            why = f"train took {took}; try --full repeats it"
            yield self._attempts.skip("train anew", why)
            yield self._attempts.skip("train warm", why)
            return
        yield self._attempts.make("train anew", self._train_anew, needs="test")
        if self._attempts.is_done("train anew") and self._anew is None:
            yield self._attempts.skip("train warm", "train anew differs already")
            return
        yield self._attempts.make("train warm", self._train_warm, needs="train anew")

    def one(self, step: str) -> Iterator[Check]:
        """One step, with what it needs.

        Args:
            step: `train`, `test` or `infer`.
        """
        yield self._attempts.make("load", self._load)
        needs = "load"
        if step == "train" or self._bench.checkpoint_bytes(0) is None:
            yield self._attempts.make("train", self._train, needs="load")
            needs = "train"
        if step == "test":
            yield self._attempts.make("test", self._test, needs=needs)
            self._bench.refresh()
            yield self._attempts.make("test again", self._test_again, needs="test")
        elif step == "infer":
            yield self._attempts.make("infer", self._infer, needs=needs)
            self._bench.refresh()
            yield self._attempts.make("infer again", self._infer_again, needs="infer")

    def _load(self) -> Finding:
        found = self._bench.look()
        self._samples = self._choose(found)
        names = {"payload": "{}(payload)", "keywords": "{} by keywords"}
        told = [names[form].format(hook) for hook, form in found.forms.items() if hook != "state"]
        if found.state_size is not None:
            told.append(f"state names {found.state_size:,} samples")
        return Finding(", ".join(told))

    def _train(self) -> Finding:
        before = self._files()
        ran = self._bench.train(self._samples.labeled)
        written = written_between(before, self._files())
        # A checkpoint that is kept elsewhere is found by its name, which differs each time.
        own = self._bench.checkpoint(0)
        self._written = [file for file in written if own not in file]
        return self._trained(ran, len(self._samples.labeled), 0)

    def _test(self) -> Finding:
        self._tested = ran = self._bench.test()
        said = f"{len(ran.rows):,} samples"
        if self._order.task == "classification":
            said += f", accuracy {accuracy(ran.rows, self._order.class_names):.2f}"
        odd = unlikely_predictions(ran.rows, self._order.class_names)
        told = (verdicts.scores_disagree(odd, len(ran.rows)),) if odd else ()
        return Finding(said, (*ran.outcome.warnings, *told))

    def _infer(self) -> Finding:
        if not self._samples.unlabeled:
            return Finding("the pool has no samples beside the first batch: not run")
        asked = self._samples.unlabeled
        self._inferred = ran = self._bench.infer(asked, self._order.seed)
        return Finding(f"{len(ran.rows):,} rows", ran.outcome.warnings)

    def _test_again(self) -> Finding:
        assert self._tested is not None  # noqa: S101 - this check needs the first test
        try:
            ran = self._bench.test()
        except (HookRaisedError, HookCrashedError) as error:
            raise verdicts.step_needs_memory("test", "E-HOOK-05", error) from error
        agreement = self._compare(self._tested, ran)
        if agreement.is_full:
            differing = differing_rows(scores_of(self._tested.rows), scores_of(ran.rows))
            told = (verdicts.scores_waver(differing, len(ran.rows)),) if differing else ()
            return Finding(f"{FRESH}the same predictions", told)
        if agreement.is_near:
            return Finding(f"{FRESH}almost the same", (verdicts.test_wavers(agreement),))
        raise verdicts.test_forgets(agreement)

    def _infer_again(self) -> Finding:
        if self._inferred is None:
            return Finding("not run")
        asked = self._samples.unlabeled[::2]
        try:
            ran = self._bench.infer(asked, self._order.seed + 1)
        except (HookRaisedError, HookCrashedError) as error:
            raise verdicts.step_needs_memory("infer", "E-HOOK-09", error) from error
        differing = differing_rows(self._inferred.rows, ran.rows)
        if differing:
            raise verdicts.infer_wavers(differing, len(asked))
        return Finding(f"{FRESH}the same rows for {len(asked):,} of them")

    def _resume(self) -> Finding:
        labeled = self._samples.grown().labeled
        ran = self._bench.train(labeled, loop=1)
        return self._trained(ran, len(labeled), 1)

    def _train_anew(self) -> Finding:
        assert self._tested is not None  # noqa: S101 - this check needs the first test
        experiment = self._order.second_experiment
        self._bench.train(self._samples.labeled, experiment=experiment)
        ran = self._bench.test(experiment=experiment)
        agreement = self._compare(self._tested, ran)
        if agreement.is_full:
            self._anew = ran
            return Finding("another experiment: the same predictions")
        if self._written and self._repeats(ran):
            raise verdicts.files_carry_over(agreement, self._written)
        return Finding("another experiment", (verdicts.train_wavers(agreement, self._written),))

    def _repeats(self, second: Ran) -> bool:
        """Whether a third experiment is like the second: then only the first was different.

        Training that is not deterministic differs each time, and most of it writes logs, too.
        """
        experiment = self._order.third_experiment
        self._bench.train(self._samples.labeled, experiment=experiment)
        return self._compare(second, self._bench.test(experiment=experiment)).is_full

    def _train_warm(self) -> Finding:
        assert self._anew is not None  # noqa: S101 - skipped otherwise
        experiment = self._order.second_experiment
        self._bench.train(self._samples.labeled, experiment=experiment, in_warm=True)
        agreement = self._compare(self._anew, self._bench.test(experiment=experiment))
        if agreement.is_full:
            return Finding("twice in one process: the same predictions")
        return Finding("twice in one process", (verdicts.globals_carry_over(agreement),))

    def _trained(self, ran: Ran, labels: int, loop: int) -> Finding:
        said = f"{labels:,} labels"
        if loop:
            said += f", from {self._bench.checkpoint(loop - 1)}"
        size = self._bench.checkpoint_bytes(loop)
        if size is not None:
            said += f", wrote {self._bench.checkpoint(loop)} ({format_size(size)})"
        return Finding(said, ran.outcome.warnings)

    def _compare(self, first: Ran, second: Ran) -> Agreement:
        order = self._order
        return compare_tests(first.rows, second.rows, order.class_names, order.task)

    def _files(self) -> dict[str, tuple[int, int, int]] | None:
        order = self._order
        return snapshot(order.pipeline.cwd, (order.folder, *order.ignored))

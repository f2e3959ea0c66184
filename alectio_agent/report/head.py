"""The top of a report: state, labels, scores, times, and the result in a sentence."""

from dataclasses import dataclass

from markupsafe import Markup

from alectio_agent.report.reading import (
    Document,
    Point,
    count_of,
    loops_of,
    member,
    metric_title,
    metrics_of,
    number_of,
    points_of,
)
from alectio_agent.report.savings import Reach, Saving, Savings
from alectio_agent.report.times import Saved, Times
from alectio_agent.report.words import count, duration, long_text, name, number, share, stamp

STATES = {
    "running": "running",
    "waiting": "waits for a person",
    "paused": "paused",
    "finished": "finished",
    "cancelled": "cancelled",
}


@dataclass(frozen=True)
class Head:
    """The top of a report.

    Attributes:
        state: In words.
        kind: The state itself; says how it is coloured.
        reason: Why, or what it waits for; empty when there is nothing to say.
        result: In one sentence.
        facts: What is known, each with its name.
    """

    state: str
    kind: str
    reason: Markup
    result: Markup
    facts: list[tuple[str, Markup]]


def main_metric(document: Document) -> str:
    """The metric that an experiment is judged by: its target's, else the first it has.

    Args:
        document: Of the experiment.

    Returns:
        Empty when there is none.
    """
    told = metrics_of(document)
    wanted = member(document, "settings", "stop", "target", "metric")
    return str(wanted) if wanted in told else (told[0] if told else "")


def main_saving(document: Document, savings: Savings) -> Saving | None:
    """What is known of the metric that the experiment is judged by.

    Args:
        document: Of the experiment.
        savings: Of all metrics.
    """
    metric = main_metric(document)
    return next((each for each in savings.found if each.metric == metric), None)


def find_head(document: Document, savings: Savings, times: Times, saved: Saved | None) -> Head:
    """The top of a report.

    Args:
        document: The experiment.
        savings: Beside its control.
        times: Where its time went.
        saved: Time until the same score; None when it is not known.
    """
    state = str(document.get("state") or "not known")
    return Head(
        state=STATES.get(state, state),
        kind=state if state in STATES else "unknown",
        reason=_reason(document),
        result=_result(document, savings),
        facts=_facts(document, times, saved),
    )


def _reason(document: Document) -> Markup:
    told = document.get("reason") or document.get("waits_for")
    loops = loops_of(document)
    last = loops[-1] if loops else {}
    told = told or last.get("problem")
    if not told and last.get("state") == "labelling":
        told = f"waits for labels of loop {number_of(last)}"
    if not told:
        return Markup("")
    since = document.get("since") or _last_ended(document) or last.get("asked_at")
    said = long_text(told)
    return Markup("{} (since {})").format(said, stamp(since)) if since else said


def _last_ended(document: Document) -> str | None:
    """When the last attempt ended: since then a waiting experiment waits."""
    if document.get("state") != "waiting":
        return None
    ended = [
        tried.get("ended_at")
        for loop in loops_of(document)
        for tried in loop.get("attempts") or []
        if isinstance(tried, dict) and isinstance(tried.get("ended_at"), str)
    ]
    return max((stamp_ for stamp_ in ended if stamp_), default=None)


def _facts(document: Document, times: Times, saved: Saved | None) -> list[tuple[str, Markup]]:
    loops = loops_of(document)
    labels = max((count_of(loop.get("labels")) or 0 for loop in loops), default=0)
    pool = count_of(member(document, "pool", "size"))
    done = sum(loop.get("state") == "done" for loop in loops)
    facts = [
        ("labels", Markup("{} of {}").format(count(labels), count(pool))),
        ("share of the pool", share(labels, pool)),
        ("loops done", Markup("{} of {}").format(
            count(done), count(member(document, "settings", "loops")))),
    ]  # fmt: skip
    metric = main_metric(document)
    if metric:
        points = points_of(document, metric)
        facts += [
            (f"last {metric_title(metric)}", number(points[-1].value)),
            (f"best {metric_title(metric)}", _best(points)),
        ]
    running = "time taken" if times.has_ended else "running"
    facts += [(running, duration(times.running_s)), ("in hooks", duration(times.hooks_s))]
    if saved is not None:
        facts.append(saved_words(saved))
    if not times.has_ended:
        left = times.left_s
        facts.append(("time left, about", duration(left)))
    pipeline = document.get("pipeline") or member(document, "settings", "pipeline")
    return [*facts, ("pipeline", name(pipeline or "the only one"))]


def saved_words(saved: Saved) -> tuple[str, Markup]:
    """What the time of the hooks until the same score says.

    Args:
        saved: Of the experiment and its control.

    Returns:
        Its name, and how much.
    """
    if saved.seconds < 0:
        return "more hook time than random", duration(-saved.seconds)
    return "hook time saved", duration(saved.seconds)


def _best(points: list[Point]) -> Markup:
    best = max(points, key=lambda point: point.value)
    return Markup("{} in loop {}").format(number(best.value), best.loop)


def _result(document: Document, savings: Savings) -> Markup:
    metric = main_metric(document)
    if not metric:
        return Markup("No loop has been judged yet, so that there is no result.")
    last = points_of(document, metric)[-1]
    said = Markup("{} {} with {} labels").format(
        metric_title(metric), number(last.value), count(last.labels)
    )
    saving = main_saving(document, savings)
    return Markup("{}{}.").format(said, _beside(saving) if saving else "")


def _beside(saving: Saving) -> Markup:
    """What random choice needed: where both first reach our last score, else random's last."""
    met, last, control = saving.of_ours, saving.last, saving.control_last
    if met.control is not None:
        if met.ours == last.labels:
            return Markup("; random needed {} for the same").format(count(met.control))
        return _first(met)
    met = saving.of_control
    said = Markup("; random has {} with {}").format(number(control.value), count(control.labels))
    if met.control == control.labels:
        return Markup("{}, reached here with {}").format(said, count(met.ours))
    return Markup("{}{}").format(said, _first(met))


def _first(met: Reach) -> Markup:
    """A score of the past: the last number of labels does not say what it took."""
    return Markup("; first reached with {} here, with {} by random").format(
        count(met.ours), count(met.control)
    )

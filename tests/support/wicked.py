"""Names that would do harm where they are not escaped."""

from typing import Any

from tests.support.documents import make_document

WICKED = (
    "<b>bold</b><script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</script><a href='https://example.org'>x</a>",
    "right\u202eto left\u200f",
    "%{y} {{ 7 * 7 }} $x^2$ &lt;i&gt;",
    "x" * 5000,
)


def with_wicked_names(wicked: str) -> dict[str, Any]:
    """An experiment in which everything that people name is called so."""
    document = make_document(loops=3, classes=3, name=wicked)
    document |= {"reason": wicked, "pipeline": wicked, "state": "waiting"}
    document["settings"]["classes"] = [f"{at}{wicked}" for at in range(3)]
    for loop in document["loops"]:
        loop["names"] = [wicked for _ in loop["selected"]]
        loop["chosen_by"] = wicked
        loop["selection"]["reasons"] = [wicked for _ in loop["selected"]]
        loop["warnings"] = {"train": [wicked], wicked: [wicked]}
        loop["hyperparams"] = {wicked: loop["loop"]}
        loop["metrics_error"] = wicked
        loop["metrics"] |= {wicked: 0.5}
        loop["attempts"][0]["agent"] = wicked
        loop["selection"]["near_misses"] = [
            {"index": 1, "score": 0.1, "name": wicked, "between": [0, 1]}
        ]
        if loop["selection"]["histogram"]:
            loop["selection"]["histogram"]["strategy"] = wicked
    return document

"""The hook child repeats some constants of the wire, since it may import nothing of it."""

from alectio_agent.agent.hooks.child import contract, parts
from alectio_agent.wire import protocol


def test_media_types_and_sizes_are_the_wires() -> None:
    for name in (
        "JSON_MEDIA_TYPE",
        "NPZ_MEDIA_TYPE",
        "NDJSON_MEDIA_TYPE",
        "PART_BYTES",
        "INLINE_BYTES",
    ):
        assert getattr(parts, name) == getattr(protocol, name)


def test_every_task_and_output_of_the_wire_is_one_the_child_knows() -> None:
    assert {"classification", "object_detection"} <= set(protocol.TASKS)
    assert {"logits", "probabilities", "multilabel_logits"} <= set(protocol.OUTPUTS)
    assert set(contract.SCORES) >= {"logits", "pre_softmax", "softmax", "sigmoid"}

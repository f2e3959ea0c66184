"""Steps that are left to do, with their samples."""

from array import array

from alectio_agent.agent.jobs.orders import open_orders
from tests.support.claims import make_claim


def test_samples_are_sorted_and_take_eight_bytes_each() -> None:
    steps = [step.model_dump() for step in make_claim().steps]
    steps[0]["payload"] |= {"labeled": [8, 1, 4], "labels": {"8": "cat"}}
    train, test, infer = open_orders(make_claim(steps=steps), ())
    assert train.payload == {
        "resume_from": "digits-ckpt_0",
        "ckpt_file": "digits-ckpt_1",
        "labeled": array("q", [1, 4, 8]),
        "labels": {"8": "cat"},
    }
    assert test.payload == {"ckpt_file": "digits-ckpt_1"}
    assert infer.payload["unlabeled"].itemsize == 8


def test_steps_whose_result_is_durable_are_not_run_again() -> None:
    assert [order.step for order in open_orders(make_claim(), {"train"})] == ["test", "infer"]


def test_an_index_that_no_array_holds_is_kept_as_it_is() -> None:
    steps = [make_claim().steps[2].model_dump()]
    steps[0]["payload"]["unlabeled"] = [2**70, 3]
    (order,) = open_orders(make_claim(steps=steps, pool={"size": 2**71}), ())
    assert order.payload["unlabeled"] == [3, 2**70]

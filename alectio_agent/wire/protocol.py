"""Numbers and names of protocol 1 that both ends must agree on."""

PROTOCOL = 1
PROTOCOL_HEADER = "Alectio-Protocol"
LEASE_HEADER = "Alectio-Lease"

PROBLEM_MEDIA_TYPE = "application/problem+json"
JSON_MEDIA_TYPE = "application/json"
NPZ_MEDIA_TYPE = "application/x-npz"
NDJSON_MEDIA_TYPE = "application/x-ndjson"

LEASE_S = 90
POLL_WAIT_S = 20
START_WITHIN_S = 60
"""A job that was claimed and never started returns after this long."""

MAX_CLAIM_BYTES = 64 * 2**20
MAX_ANSWER_BYTES = 8 * 2**20
MAX_REQUEST_BYTES = 8 * 2**20
MAX_PART_BYTES = 64 * 2**20
MAX_COUNT = 2**53 - 1
"""The largest whole number that every reader of JSON, and every database, keeps exact."""
PART_BYTES = 4 * 2**20
INLINE_BYTES = 64 * 2**10

STEPS = ("train", "test", "infer")
TASKS = (
    "classification",
    "multi_label",
    "regression",
    "object_detection",
    "segmentation",
    "custom",
)

"""Numbers and names of protocol 1 that both ends must agree on."""

PROTOCOL = 1
PROTOCOL_HEADER = "Alectio-Protocol"
LEASE_HEADER = "Alectio-Lease"
LOG_ATTEMPT_HEADER = "Alectio-Log-Attempt"
LOG_OFFSET_HEADER = "Alectio-Log-Offset"
LOG_SIZE_HEADER = "Alectio-Log-Size"

PROBLEM_MEDIA_TYPE = "application/problem+json"
JSON_MEDIA_TYPE = "application/json"
NPZ_MEDIA_TYPE = "application/x-npz"
NDJSON_MEDIA_TYPE = "application/x-ndjson"

LEASE_S = 90
POLL_WAIT_S = 20
MAX_POLL_WAIT_S = 50
"""However many agents there are: proxies end a call without an answer after 60 s, as a rule."""
POLLS_PER_S = 250
"""As many polls a hub is asked to answer: with more agents, each polls less often."""
START_WITHIN_S = 60
"""A job that was claimed and never started returns after this long."""

MAX_CLAIM_BYTES = 64 * 2**20
MAX_ANSWER_BYTES = 8 * 2**20
MAX_REQUEST_BYTES = 8 * 2**20
MAX_PART_BYTES = 64 * 2**20
MAX_NAMES_BYTES = 2**30
"""The most record names of one pool, unpacked: 25 million of 40 bytes."""
MAX_COUNT = 2**53 - 1
"""The largest whole number that every reader of JSON, and every database, keeps exact."""
PART_BYTES = 4 * 2**20
INLINE_BYTES = 64 * 2**10
LOG_START_BYTES = 8 * 2**20
"""So much of the beginning of a job's log is kept at the platform, and so much of its end."""
LOG_END_BYTES = 8 * 2**20
MAX_LOG_BYTES = 2**20
"""The most text of a log in one call."""

STEPS = ("train", "test", "infer")
TASKS = (
    "classification",
    "multi_label",
    "regression",
    "object_detection",
    "segmentation",
    "custom",
)

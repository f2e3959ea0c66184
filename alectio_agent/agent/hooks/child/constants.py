"""What both ends must agree on; the child cannot import the wire, so it says it once more."""

JSON_MEDIA_TYPE = "application/json"
NPZ_MEDIA_TYPE = "application/x-npz"
NDJSON_MEDIA_TYPE = "application/x-ndjson"

PART_BYTES = 4 * 2**20
MAX_PART_BYTES = 64 * 2**20
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

"""The tables. Identifiers are text made in code; moments are text in UTC that sorts by time."""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

SCHEMA = 3
REMOVED = ""
"""No start of an agent is called so."""
metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("token_id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("scope", String, nullable=False),
    Column("sha256", String, nullable=False, unique=True),
    Column("created_at", String, nullable=False),
    Column("expires_at", String),
    Column("revoked_at", String),
    Column("last_used_at", String),
)

# `last_seq` and `last_lease` answer a repeated poll with the same job. Of an agent that a person
# removed the row stays, since loops name it: `boot_id` is REMOVED, `installation_id` is nobody's.
agents = Table(
    "agents",
    metadata,
    Column("agent_id", String, primary_key=True),
    Column("installation_id", String, nullable=False, unique=True),
    Column("name", String, nullable=False),
    Column("version", String, nullable=False),
    Column("tags", Text, nullable=False),
    Column("slots", Integer, nullable=False, server_default="1"),
    Column("boot_count", Integer, nullable=False),
    Column("boot_id", String, nullable=False),
    Column("last_seq", Integer, nullable=False),
    Column("last_lease", String),
    Column("registered_at", String, nullable=False),
    Column("last_contact_at", String, nullable=False),
)

offers = Table(
    "offers",
    metadata,
    Column("agent_id", String, primary_key=True),
    Column("pipeline", String, primary_key=True),
    Column("pool_size", Integer),
    Column("state_digest", String),
    Column("state_size", Integer),
    Column("store", String),
    Index("offers_by_pipeline", "pipeline"),
)

# Which agent holds which checkpoint: what it registered, and what it committed since.
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("experiment", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("agent_id", String, primary_key=True),
    Index("checkpoints_by_agent", "agent_id"),
)

# `pool_pins`: size and digest that the pool had before each time it was extended, as JSON.
# `series`: the name in the file that it was made from, when it was made anew under another.
# `owed_loop`: the loop whose selection is owed. `is_over`: no further loop will be made.
experiments = Table(
    "experiments",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("experiment_id", String, nullable=False, unique=True),
    Column("name", String, nullable=False, unique=True),
    Column("settings", Text, nullable=False),
    Column("pipeline", String),
    Column("state", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("pool_size", Integer),
    Column("pool_digest", String),
    Column("pool_pins", Text, nullable=False, server_default="[]"),
    Column("priority", Integer, nullable=False),
    Column("control", String),
    Column("control_of", String),
    Column("series", String),
    Column("is_over", Boolean, nullable=False),
    Column("ending", Text, nullable=False),
    Column("owed_loop", Integer),
    Column("version", Integer, nullable=False),
    Column("created_at", String, nullable=False),
    Column("ended_at", String),
    Index("experiments_by_state", "state"),
)

# A job is one loop. `lease`, `agent_id` and `attempt` are those of the newest attempt, or of the
# one that committed since. `ckpt_file`: what the counted train wrote; `resume_file`: what the
# counted train of the loop before wrote. `fresh_attempt`: failures up to this attempt are forgiven.
# `asked_at`: when people were asked for labels of its batch. `labels_upto`: the highest position in
# the table of labels that counts for its train; null before it was available, and without people.
# A job in the state `rewound` is kept until its loop is made again: its attempts go on counting.
jobs = Table(
    "jobs",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("job_id", String, nullable=False, unique=True),
    Column("experiment_id", String, nullable=False),
    Column("loop", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("labelled", Integer, nullable=False),
    Column("has_infer", Boolean, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("fresh_attempt", Integer, nullable=False),
    Column("lease", String),
    Column("agent_id", String),
    Column("ckpt_file", String),
    Column("resume_file", String),
    Column("is_from_scratch", Boolean, nullable=False),
    Column("problem", Text, nullable=False),
    Column("available_at", String, nullable=False),
    Column("done_at", String),
    Column("asked_at", String),
    Column("labels_upto", Integer),
    UniqueConstraint("experiment_id", "loop"),
    Index("jobs_by_state", "state"),
)

# `state`: claimed, started; ended: done, failed, lost, returned, superseded, recalled.
# `train_lease`: the attempt whose train run this one builds upon. `lost_step`: it fell silent in
# this step.
attempts = Table(
    "attempts",
    metadata,
    Column("lease", String, primary_key=True),
    Column("job_id", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("agent_id", String, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("steps", String, nullable=False),
    Column("resume_from", String),
    Column("ckpt_file", String, nullable=False),
    Column("train_lease", String, nullable=False),
    Column("issued_at", String, nullable=False),
    Column("started_at", String),
    Column("ended_at", String),
    Column("failure_class", String),
    Column("failed_step", String),
    Column("lost_step", String),
    Column("message", Text, nullable=False),
    Column("traceback", Text, nullable=False),
    Index("attempts_by_job", "job_id", "attempt"),
    Index("attempts_by_agent", "agent_id", "state"),
)

# What came in under which key, so that it can come in again.
messages = Table(
    "messages",
    metadata,
    Column("job_id", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("content", String, nullable=False),
)

# `provenance`: code and packages that a train ran with, as JSON.
results = Table(
    "results",
    metadata,
    Column("lease", String, primary_key=True),
    Column("step", String, primary_key=True),
    Column("job_id", String, nullable=False),
    Column("train_lease", String, nullable=False),
    Column("is_counted", Boolean, nullable=False),
    Column("media_type", String, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("parts", Text, nullable=False),
    Column("inline", Text),
    Column("warnings", Text, nullable=False),
    Column("started_at", String, nullable=False),
    Column("finished_at", String, nullable=False),
    Column("duration_s", Float, nullable=False),
    Column("received_at", String, nullable=False),
    Column("owes_metrics", Boolean, nullable=False),
    Column("metrics", Text),
    Column("provenance", Text),
    Index("results_by_job", "job_id", "is_counted"),
    Index("results_owing", "owes_metrics"),
)

parts = Table(
    "parts",
    metadata,
    Column("job_id", String, primary_key=True),
    Column("sha256", String, primary_key=True),
    Column("bytes", Integer, nullable=False),
)

# `indices`: increasing, as unsigned 32-bit little-endian numbers. `detail`: scores and reasons.
selections = Table(
    "selections",
    metadata,
    Column("experiment_id", String, primary_key=True),
    Column("loop", Integer, primary_key=True),
    Column("indices", LargeBinary, nullable=False),
    Column("count", Integer, nullable=False),
    Column("chosen_by", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("settings", Text, nullable=False),
    Column("made_at", String, nullable=False),
)

# What people said of samples: each row is kept, the newest of a sample counts. `value`: the label
# as JSON; null for a sample that cannot be labelled.
labels = Table(
    "labels",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("experiment_id", String, nullable=False),
    Column("sample", Integer, nullable=False),
    Column("value", Text),
    Column("annotator", String),
    Column("seconds", Float),
    Column("imported_at", String, nullable=False),
    Index("labels_by_experiment", "experiment_id", "position"),
)

# Batches that people were asked to label before their loop was rewound: labels of these samples are
# still taken, and count when they are chosen again.
rewound_batches = Table(
    "rewound_batches",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("experiment_id", String, nullable=False),
    Column("indices", LargeBinary, nullable=False),
    Index("rewound_batches_by_experiment", "experiment_id"),
)

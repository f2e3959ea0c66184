"""The live view of `run` on a terminal: a pure drawing of a scene, and what puts it there."""

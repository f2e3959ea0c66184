"""Loads any YAML model with file:line errors; `agent.yaml` as frozen settings. Imports core."""

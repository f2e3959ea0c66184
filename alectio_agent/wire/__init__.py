"""What agent and hub say to each other: records, problem types, JSON rules. Imports core."""

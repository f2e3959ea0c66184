"""Results files and reports, made off the loop's path. May import experiments, store and report."""

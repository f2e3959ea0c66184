"""Loops as a state machine: leases, jobs, what counts, selections owed, results files.

Imports store, wire and core; `analysis` is run as a process, never imported. Functions take the
transaction of a `Store.write` or `Store.read` first; what lies in memory changes after the commit.
"""

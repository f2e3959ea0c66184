"""What every room stands on: errors, time, ids, units, logging, SQLite. Imports none of ours."""

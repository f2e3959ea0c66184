"""The user's functions, run in a process of their own: started, watched, ended.

`child/` runs inside that process. Imports journal, config and core.
"""

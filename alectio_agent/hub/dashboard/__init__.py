"""Pages for people over what experiments tell.

May import report and all of the hub but `server`.
"""

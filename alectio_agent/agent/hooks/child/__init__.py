"""What runs inside the hook process: loads hooks, calls them, checks and writes what they return.

Works in any Python from 3.9 on with nothing installed: imports the standard library and its own
files only. numpy and torch are recognised when the user's code has loaded them, never imported.
"""

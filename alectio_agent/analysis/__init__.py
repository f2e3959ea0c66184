"""Selection and metrics over arrays, runnable as a process over result files. Imports core.

The only room with numpy and scikit-learn.
"""

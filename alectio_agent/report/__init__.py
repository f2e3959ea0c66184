"""One page from what is kept of experiments.

Pure functions from plain documents (as in `experiment.json`) to HTML. May import core, jinja2, and
plotly's JavaScript; never numpy.
"""

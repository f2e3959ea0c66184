"""A worker that sits beside the data and runs active-learning loops over outbound HTTPS only."""

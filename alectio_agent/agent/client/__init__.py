"""Talks to the platform: one request, whether it may heal, one method per endpoint.

Imports journal, wire, config and core. `requests` lives in transport.py, `tenacity` in retry.py.
"""

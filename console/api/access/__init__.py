"""Agents and API tokens in the API."""

"""Measures the desk against its targets, on the machine it runs on."""

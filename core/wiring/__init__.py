"""The composition root: builds the desk's processes from their parts.

One module per kind of process, so that each loads only what it runs.
"""

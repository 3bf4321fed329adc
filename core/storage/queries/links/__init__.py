"""Reads how tickets hang together, and which were made one."""

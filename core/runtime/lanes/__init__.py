"""Doing the work of lanes, one item at a time: plan, network call, settle."""

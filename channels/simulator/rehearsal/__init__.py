"""Rehearsals: many people at once on a simulated platform, with trouble on purpose."""

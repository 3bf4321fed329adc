"""A believable organisation to try the desk with: `desk seed demo`."""

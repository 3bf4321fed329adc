"""Pages of business hours, promises, and how silent tickets end."""

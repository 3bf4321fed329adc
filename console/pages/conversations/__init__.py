"""Pages of what is said: the workspace, letters, files, splits."""

"""Files: fetched from platforms, looked at, kept, and sent by agents."""

"""What the desk knows of requesters and their organisations, as agents keep it."""

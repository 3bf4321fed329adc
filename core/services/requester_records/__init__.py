"""What the desk knows of requesters, their organisations and assets, as agents keep it."""

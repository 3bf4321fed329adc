"""How the assistant gets better: what it missed, topics of it, examples, and models."""

"""Telegram as a channel; `kind` is where the desk finds it."""

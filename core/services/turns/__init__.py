"""The assistant's turns: what it is told and asked, and what becomes of its words and commands."""

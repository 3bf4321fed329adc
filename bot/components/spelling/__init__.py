"""How words are spelt and misspelt, in the languages that the assistant speaks."""

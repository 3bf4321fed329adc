"""Linking an e-mail address with who writes in a chat, by a code that is mailed to it."""

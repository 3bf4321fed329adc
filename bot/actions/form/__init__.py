"""The form in conversation: what is asked, how answers are read, what becomes of them."""

"""`desk run`: starts the desk's processes, watches them and ends them in order."""

"""Tables to be saved: registers, logs and figures as files for spreadsheets."""

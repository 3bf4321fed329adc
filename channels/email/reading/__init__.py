"""Reads a mail as it came over the wire: `read.read_mail` makes a `mail.Mail` of its bytes."""

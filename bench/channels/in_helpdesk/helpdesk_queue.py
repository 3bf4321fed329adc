# mypy: ignore-errors
"""Makes the one queue of a django-helpdesk, which reads a mailbox; runs in its environment."""

from __future__ import annotations

import os

import django

django.setup()

from helpdesk.models import Queue  # noqa: E402 - Django has to be set up before

Queue.objects.create(
    title="Help",
    slug="help",
    email_address="help@desk.example",
    allow_email_submission=True,
    email_box_type="imap",
    email_box_host="127.0.0.1",
    email_box_port=int(os.environ["HELPDESK_IMAP_PORT"]),
    email_box_ssl=False,
    email_box_user=os.environ["HELPDESK_IMAP_USER"],
    email_box_pass=os.environ["HELPDESK_IMAP_PASSWORD"],
    email_box_imap_folder=os.environ["HELPDESK_IMAP_FOLDER"],
    email_box_interval=0,
)

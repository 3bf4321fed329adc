from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from channels.email.settings import EmailSettings

IMAP = {"address": "Help@Desk.example", "imap_host": "imap.desk.example"}


def test_an_address_and_a_server_are_enough() -> None:
    settings = EmailSettings.model_validate(IMAP)
    assert settings.address == "help@desk.example"
    assert settings.domain == "desk.example"
    assert settings.folders == ("INBOX",)


def test_lists_may_be_written_with_commas() -> None:
    settings = EmailSettings.model_validate(
        {**IMAP, "folders": "INBOX, Archive/2026", "aliases": "Sales@desk.example"}
    )
    assert settings.folders == ("INBOX", "Archive/2026")
    assert settings.own_addresses == {"help@desk.example", "sales@desk.example"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"imap_host": ""}, "where mail comes from"),
        ({"address": "nobody"}, "not a mail address"),
        ({"address": "a b@desk.example"}, "not a mail address"),
        ({"address": "a\r\nBcc: b@desk.example"}, "not a mail address"),
        ({"imap_security": "none"}, "only for a server on this machine"),
        ({"smtp_host": "smtp.desk.example", "smtp_security": "none"}, "only for a server"),
        ({"after_processing": "move"}, "needs a folder in"),
        ({"after_processing": "move", "move_to": "INBOX"}, "must not be one of the folders"),
        ({"sent_folder": "Sent", "imap_host": "", "lmtp_host": "127.0.0.1"}, "needs {imap_host}"),
        ({"sent_folder": "INBOX"}, "must not be one of the folders"),
        ({"folders": "a\r\nb"}, "control characters"),
        ({"lmtp_host": "192.0.2.1.example"}, "private network"),
        ({"lmtp_host": "8.8.8.8"}, "private network"),
        ({"oauth_provider": "google"}, "oauth_client_id"),
        ({"dkim_domain": "desk.example"}, "DKIM needs"),
        ({"unsubscribe": "http://desk.example"}, "mailto or https"),
        ({"unsubscribe": "mailto:a@desk.example>\r\nBcc: b@x"}, "mailto or https"),
        ({"imap_pasword": "x"}, "not permitted"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        EmailSettings.model_validate({**IMAP, **changes})


def test_secrets_do_not_show() -> None:
    settings = EmailSettings.model_validate({**IMAP, "imap_password": "hidden"})
    assert "hidden" not in repr(settings)
    with pytest.raises(ValidationError) as raised:
        EmailSettings.model_validate({**IMAP, "imap_host": "", "imap_password": "hidden"})
    assert "hidden" not in str(raised.value)

"""A real Dovecot on loopback: IMAP with IDLE, and LMTP, over a folder that goes afterwards."""

from __future__ import annotations

import contextlib
import imaplib
import os
import pwd
import shutil
import smtplib
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.running_desk import free_port

USER = "help@desk.example"
PASSWORD = "s3cret"
HOST = "127.0.0.1"
PROGRAM = Path("/usr/sbin/dovecot")
_PATIENCE_SECONDS = 20.0

_CONFIGURATION = """
base_dir = {run}
state_dir = {run}/state
log_path = {home}/log
protocols = imap lmtp
listen = 127.0.0.1
ssl = {ssl}
ssl_cert = <{cert}
ssl_key = <{key}
disable_plaintext_auth = no
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
auth_mechanisms = plain login xoauth2 oauthbearer
auth_failure_delay = 0
recipient_delimiter = +
imap_capability = {capability}
mail_location = sdbox:~/mail
mail_max_userip_connections = 100
first_valid_uid = 1
{oauth}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {home}/users
}}
userdb {{
  driver = static
  args = uid={mail_user} gid={mail_group} home={home}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Done {{
    auto = create
  }}
  mailbox Second {{
    auto = create
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = {imaps_port}
    ssl = {imaps}
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp_port}
  }}
}}
service stats {{
  chroot =
}}
"""

_OAUTH = """
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {home}/oauth2.conf
}}
"""
_INTROSPECTION = """
introspection_mode = get
introspection_url = {url}
username_attribute = email
active_attribute = active
active_value = true
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dovecot:
    """A running server; one mailbox, `USER`, which `PASSWORD` opens."""

    imap_port: int
    imaps_port: int
    lmtp_port: int
    home: Path
    certificate: Path | None

    def deliver(self, raw: bytes, sender: str = "ana@people.example", user: str = USER) -> None:
        """Put a mail into the inbox, as a mail server does."""
        with smtplib.LMTP(HOST, self.lmtp_port, timeout=10) as server:
            server.sendmail(sender, [user], raw)

    @contextlib.contextmanager
    def mailbox(self) -> Iterator[imaplib.IMAP4]:
        """Open the mailbox as another mail program."""
        client = imaplib.IMAP4(HOST, self.imap_port, timeout=10)
        try:
            client.login(USER, PASSWORD)
            yield client
        finally:
            with contextlib.suppress(OSError, imaplib.IMAP4.error):
                client.logout()

    def append(self, folder: str, mails: Sequence[bytes], at: datetime | None = None) -> None:
        """Put mails into a folder."""
        when = imaplib.Time2Internaldate(at or datetime.now(UTC))
        with self.mailbox() as client:
            for raw in mails:
                client.append(folder, "", when, raw)

    def empty(self, folder: str) -> None:
        """Remove all mail from a folder."""
        with self.mailbox() as client:
            client.select(folder)
            client.uid("STORE", "1:*", "+FLAGS", "\\Deleted")
            client.expunge()

    def flags(self, folder: str = "INBOX") -> list[str]:
        """Return the flags of each mail of a folder, in order."""
        with self.mailbox() as client:
            client.select(folder, readonly=True)
            _, found = client.uid("FETCH", "1:*", "(FLAGS)")
        return [item.decode() for item in found if isinstance(item, bytes)]

    def set_password(self, password: str) -> None:
        """Let the mailbox have another password from the next sign-in on."""
        (self.home / "users").write_text(f"{USER}:{password}\n")

    def until_password_counts(self, password: str) -> None:
        """Return when the server takes `password`: it looks at its file once a second."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < end:
            with (
                contextlib.suppress(imaplib.IMAP4.error),
                imaplib.IMAP4("127.0.0.1", self.imap_port) as client,
            ):
                client.login(USER, password)
                return
            time.sleep(0.05)
        pytest.fail("Dovecot does not take the new password")

    def log(self) -> str:
        """Return what it says of itself."""
        return (self.home / "log").read_text(errors="replace")


@contextlib.contextmanager
def running_dovecot(
    *, without: Sequence[str] = (), tls: bool = False, asks: str | None = None
) -> Iterator[Dovecot]:
    """Run a server; `without` are capabilities that it keeps to itself, such as IDLE.

    With `asks` it takes access tokens, too, and asks at that address, with the token at its end,
    whether one is good.
    """
    if not PROGRAM.exists() or not Path("/usr/lib/dovecot/lmtp").exists():
        pytest.skip("Dovecot is not installed: apt-get install dovecot-imapd dovecot-lmtpd")
    home = Path(tempfile.mkdtemp(prefix="dovecot-"))
    home.chmod(0o755)
    try:
        yield from _run(home, without, tls, asks)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _run(home: Path, without: Sequence[str], tls: bool, asks: str | None) -> Iterator[Dovecot]:
    is_root = os.getuid() == 0
    me = pwd.getpwuid(os.getuid())
    reader = pwd.getpwnam("nobody") if is_root else me
    mail = home / "mail"
    mail.mkdir()
    if is_root:
        os.chown(mail, reader.pw_uid, reader.pw_gid)
    certificate, key = home / "cert.pem", home / "key.pem"
    if tls:
        _write_certificate(certificate, key)
    server = Dovecot(
        imap_port=free_port(),
        imaps_port=free_port(),
        lmtp_port=free_port(),
        home=home,
        certificate=certificate if tls else None,
    )
    usual = ("IMAP4rev1", "SASL-IR", "LITERAL+", "UIDPLUS", "MOVE", "IDLE")
    text = _CONFIGURATION.format(
        run=home / "run",
        home=home,
        oauth=_OAUTH.format(home=home) if asks else "",
        ssl="yes" if tls else "no",
        imaps="yes" if tls else "no",
        cert=certificate,
        key=key,
        internal="dovecot" if is_root else me.pw_name,
        group="dovecot" if is_root else str(me.pw_gid),
        login="dovenull" if is_root else me.pw_name,
        capability=" ".join(word for word in usual if word not in without),
        mail_user=reader.pw_uid,
        mail_group=reader.pw_gid,
        imap_port=server.imap_port,
        imaps_port=server.imaps_port,
        lmtp_port=server.lmtp_port,
    )
    if not tls:
        text = "\n".join(line for line in text.splitlines() if not line.startswith("ssl_"))
    (home / "dovecot.conf").write_text(text)
    if asks:
        (home / "oauth2.conf").write_text(_INTROSPECTION.format(url=asks))
    server.set_password(PASSWORD)
    with (home / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            [str(PROGRAM), "-F", "-c", str(home / "dovecot.conf")],
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
    try:
        _until_it_answers(server, process)
        yield server
    finally:
        process.terminate()
        process.wait(10)


def _until_it_answers(server: Dovecot, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while not _answers(server):
        if process.poll() is not None or time.monotonic() > end:
            stderr = (server.home / "stderr").read_text(errors="replace")
            pytest.fail(f"Dovecot does not answer: {stderr} {server.log()}")
        time.sleep(0.05)


def _answers(server: Dovecot) -> bool:
    with contextlib.suppress(OSError, imaplib.IMAP4.error), server.mailbox() as client:
        return client.select("Second")[0] == "OK"
    return False


def _write_certificate(certificate: Path, key: Path) -> None:
    """Write a certificate for `localhost` that nobody vouches for."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )

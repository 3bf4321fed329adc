"""Which addresses everybody may be sent to, and which only where an admin says so."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from pydantic import SecretStr, ValidationError

from core.domain.networks import is_public, own_hosts
from core.settings import Settings

INTERNAL = [
    "127.0.0.1", "0.0.0.0", "10.0.0.8", "172.16.3.4", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "192.0.0.8", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::a00:8",
    "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:c0a8:101::1",
]  # fmt: skip


@pytest.mark.parametrize("address", INTERNAL)
def test_what_is_not_the_same_machine_for_everybody_is_internal(address: str) -> None:
    assert not is_public(ip_address(address))
    assert not own_hosts("").allow("somewhere.example", ip_address(address))


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:2800:21f:cb07::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_what_is_on_the_internet_is_public(address: str) -> None:
    assert own_hosts("").allow("somewhere.example", ip_address(address))


@pytest.mark.parametrize(
    ("allowed", "host", "address", "may"),
    [
        ("10.1.0.0/16", "crm", "10.1.2.3", True),
        ("10.1.0.0/16", "crm", "10.2.2.3", False),
        ("127.0.0.1", "localhost", "::ffff:127.0.0.1", True),
        ("127.0.0.1", "localhost", "::1", False),
        ("crm.internal", "CRM.internal.", "10.0.0.1", True),
        ("crm.internal", "xcrm.internal", "10.0.0.1", False),
        ("*.corp.example", "a.b.corp.example", "10.0.0.1", True),
        ("*.corp.example", "corp.example", "10.0.0.1", False),
        ("fd00::/8, crm", "crm", "192.168.0.1", True),
    ],
)
def test_an_admin_allows_hosts_and_networks(
    allowed: str, host: str, address: str, may: bool
) -> None:
    assert own_hosts(allowed).allow(host, ip_address(address)) is may


@pytest.mark.parametrize("words", ["10.1.0.5/16", "http://crm", "crm internal", "*", "1.2.3"])
def test_what_is_neither_host_nor_network_stops_the_command(words: str) -> None:
    with pytest.raises(ValidationError, match="host name, address or network"):
        Settings(webhook_own_hosts=f"localhost, {words}")


@pytest.mark.parametrize(
    "address", ["proxy:3128", "socks5://proxy", "http://", "http://proxy:0", "http://proxy:99999"]
)
def test_what_is_no_proxy_stops_the_command(address: str) -> None:
    with pytest.raises(ValidationError, match="webhook_proxy"):
        Settings(webhook_proxy=SecretStr(address))


def test_a_proxy_keeps_its_password_to_itself() -> None:
    settings = Settings(webhook_proxy=SecretStr("http://desk:hush@proxy:3128"))
    assert "hush" not in repr(settings)

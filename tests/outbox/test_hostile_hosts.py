"""Hosts that somebody might name to make this server dial its own machine, network or cloud: no socket is opened."""

from collections.abc import Iterable
from typing import Any

import httpcore
import pytest

from app.crm.http import Request, Unreachable
from app.outbox.addresses import Allowed, allowed_of
from app.outbox.http import Outgoing


class NeverDials(httpcore.AsyncNetworkBackend):
    """Notes what it was asked to dial, and opens nothing."""

    def __init__(self) -> None:
        self.dialled: list[tuple[str, int]] = []

    async def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        self.dialled.append((host, port))
        raise httpcore.ConnectError("never")

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


class Resolver:
    """Answers what it is told to, one answer after the other, the last one again and again."""

    def __init__(self, *answers: Iterable[str]) -> None:
        self.answers = [list(answer) for answer in answers]
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        del port
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


LITERALS = [
    "127.0.0.1", "127.255.255.254", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254",
    "169.254.169.254", "169.254.170.2", "168.63.129.16", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192",
    "192.0.2.1", "192.168.0.1", "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "[::]", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[::ffff:169.254.169.254]", "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::a00:1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]",
    "[2001:0:7f00:1::]", "[2001:db8::1]", "[2001:10::1]", "[100::1]", "[fc00::1]", "[fd00:ec2::254]", "[fe80::1]",
    "[fec0::1]", "[ff02::1]", "[2606:4700::5efe:127.0.0.1]", "[2606:4700::200:5efe:a00:1]", "[3fff::1]", "[5f00::1]",
]  # fmt: skip
SPELLINGS = [
    "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "127.1", "127.0.1", "0", "0x0", "127.0.0.1.",
    "0x7f.0x0.0x0.0x1", "00127.0.0.1", "127.000.000.001", "1.1", "3232235777", "[::1%25lo]", "[::1%lo]", "localhost%00",
    "exa mple.com", "ex%61mple.com", "-", "..", "a..b", "\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021",
]  # fmt: skip
NAMES = {
    "localhost": ["127.0.0.1"],
    "localhost.": ["::1"],
    "ip6-localhost": ["::1"],
    "metadata.google.internal": ["169.254.169.254"],
    "instance-data": ["169.254.169.254"],
    "metadata.azure.internal": ["168.63.129.16"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
    "mixed.example": ["93.184.216.34", "10.0.0.1"],
    "mapped.example": ["::ffff:192.168.1.1"],
    "scoped.example": ["fe80::1%eth0"],
    "nothing.example": [],
    "nonsense.example": ["not an address"],
}
ADDRESSES = [
    "file:///etc/passwd", "ftp://example.com/", "gopher://example.com/", "unix:///run/docker.sock", "//example.com/",
    "https://", "https:///x", "https://user@example.com/", "https://user:word@example.com/", "http://example.com/",
    "javascript:alert(1)", "https://example.com:99999/", "https://[::1", "\x00", "", "https://example.com\x00.evil/",
]  # fmt: skip


async def refused(url: str, *answers: Iterable[str], allowed: Allowed | None = None) -> tuple[str, list[Any]]:
    dial = NeverDials()
    outgoing = Outgoing(allowed or Allowed(), resolve=Resolver(*(answers or [["93.184.216.34"]])), dial=dial)
    with pytest.raises(Unreachable) as caught:
        await outgoing(Request("POST", url, {}, b"{}"))
    await outgoing.close()
    return caught.value.code, dial.dialled


@pytest.mark.parametrize("host", LITERALS)
async def test_an_address_that_is_nobody_else_s_is_never_dialled(host: str) -> None:
    assert await refused(f"https://{host}/hook", [host.strip("[]")]) == ("refused_address", [])


@pytest.mark.parametrize("host", SPELLINGS)
async def test_an_address_in_disguise_is_not_even_looked_up(host: str) -> None:
    code, dialled = await refused(f"https://{host}/hook", ["127.0.0.1"])
    assert (code, dialled) == ("refused_address", [])


@pytest.mark.parametrize("host", NAMES)
async def test_a_name_that_leads_there_is_never_dialled(host: str) -> None:
    code, dialled = await refused(f"https://{host}/hook", NAMES[host])
    assert (code in {"refused_address", "unresolved"}, dialled) == (True, [])


@pytest.mark.parametrize("url", ADDRESSES)
async def test_what_is_no_address_of_a_web_server_is_refused(url: str) -> None:
    code, dialled = await refused(url)
    assert (code in {"refused_address", "plain_http"}, dialled) == (True, [])


async def test_a_host_is_looked_up_once_and_what_was_checked_is_what_is_dialled() -> None:
    dial, resolver = NeverDials(), Resolver(["93.184.216.34"], ["127.0.0.1"])
    outgoing = Outgoing(Allowed(), resolve=resolver, dial=dial)
    with pytest.raises(Unreachable):
        await outgoing(Request("GET", "https://rebind.example:8443/"))
    assert (resolver.asked, dial.dialled) == (["rebind.example"], [("93.184.216.34", 8443)])
    with pytest.raises(Unreachable, match="refused_address"):
        await outgoing(Request("GET", "https://rebind.example:8443/"))
    assert dial.dialled == [("93.184.216.34", 8443)]
    await outgoing.close()


@pytest.mark.parametrize("host", ["bücher.example", "xn--bcher-kva.example"])
async def test_a_name_in_another_alphabet_is_a_name(host: str) -> None:
    assert await refused(f"https://{host}/", ["93.184.216.34"]) == ("connection", [("93.184.216.34", 443)])


async def test_an_address_that_swallows_everything_keeps_nobody_from_the_next() -> None:
    class Swallows(NeverDials):
        async def connect_tcp(self, host: str, port: int, *more: Any, **_: Any) -> httpcore.AsyncNetworkStream:
            self.dialled.append((host, port + more[0]))
            raise httpcore.ConnectTimeout

    dial = Swallows()
    outgoing = Outgoing(Allowed(), resolve=Resolver(["2606:4700::1", "93.184.216.34"]), dial=dial, seconds=8)
    with pytest.raises(Unreachable, match="timeout"):
        await outgoing(Request("GET", "https://two.example/"))
    assert dial.dialled == [("2606:4700::1", 443 + 4.0), ("93.184.216.34", 443 + 4.0)]
    await outgoing.close()


async def test_what_the_operator_allows_is_dialled_and_nothing_beside_it() -> None:
    allowed = allowed_of(["10.1.0.0/16", "crm.internal:8443", "[::1]:9000"])
    assert await refused("https://10.1.2.3/", ["10.1.2.3"], allowed=allowed) == ("connection", [("10.1.2.3", 443)])
    assert await refused("http://10.1.2.3/", ["10.1.2.3"], allowed=allowed) == ("connection", [("10.1.2.3", 80)])
    assert await refused("http://crm.internal:8443/", ["10.9.9.9"], allowed=allowed) == (
        "connection", [("10.9.9.9", 8443)],
    )  # fmt: skip
    by_port = allowed_of(["10.9.9.9:80"])
    assert await refused("http://10.9.9.9/", ["10.9.9.9"], allowed=by_port) == ("connection", [("10.9.9.9", 80)])
    assert await refused("http://[::1]:9000/", ["::1"], allowed=allowed) == ("connection", [("::1", 9000)])
    for url, address in (
        ("https://10.2.0.1/", "10.2.0.1"),
        ("https://crm.internal:8444/", "10.9.9.9"),
        ("http://crm.internal/", "10.9.9.9"),
        ("https://[::1]/", "::1"),
    ):
        code, dialled = await refused(url, [address], allowed=allowed)
        assert (code in {"refused_address", "plain_http"}, dialled) == (True, []), url


@pytest.mark.parametrize("entry", ["", "user@host", "host:0x", "10.0.0.0/99", "127.1", "a b", "host:99999"])
def test_what_cannot_be_allowed_is_an_error(entry: str) -> None:
    try:
        allowed = allowed_of([entry])
    except ValueError:
        return
    raise AssertionError(allowed)

"""What is sent to a real server on this machine, and what comes back: as it is, up to a limit, followed nowhere."""

import asyncio
import datetime as dt
import gzip
import ipaddress
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app import clock
from app.crm.http import Request, Response, Unreachable
from app.outbox.addresses import allowed_of
from app.outbox.http import Outgoing

LOOPBACK = allowed_of(["127.0.0.0/8", "localhost"])


class Server:
    """Answers every request with what it was told to, and keeps what it was sent."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.names: list[str | None] = []
        self.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
        self.port = 0

    async def start(self, tls: ssl.SSLContext | None = None) -> asyncio.Server:
        """Listen on a free port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.received.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(self.answer)
        try:
            await writer.drain()
            await reader.read()
        except ConnectionError:
            pass
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """Give a server that listens."""
    one = Server()
    listening = await one.start()
    yield one
    listening.close()


@pytest.fixture
async def outgoing() -> AsyncIterator[Outgoing]:
    """Give one that may speak to this machine."""
    one = Outgoing(LOOPBACK, seconds=0.5, most_bytes=1000)
    yield one
    await one.close()


async def test_a_request_is_sent_and_its_whole_answer_read(server: Server, outgoing: Outgoing) -> None:
    server.answer = b"HTTP/1.1 404 Not Found\r\nX-Thing: a\r\ncontent-length: 4\r\n\r\nnone"
    answer = await outgoing(Request("PATCH", f"http://127.0.0.1:{server.port}/a?b=c", {"x-key": "k"}, b"body"))
    assert answer == Response(404, {"x-thing": "a", "content-length": "4"}, b"none")
    head = server.received[0].decode().lower()
    assert head.startswith("patch /a?b=c http/1.1\r\n")
    assert "x-key: k" in head
    assert f"host: 127.0.0.1:{server.port}" in head


async def test_a_key_that_was_pasted_wrong_is_for_the_other_side_to_refuse(server: Server, outgoing: Outgoing) -> None:
    await outgoing(Request("GET", f"http://127.0.0.1:{server.port}/", {"authorization": "Bearer tok\u2019n\ud800"}))
    assert "Bearer tok\u2019n?\r\n".encode() in server.received[0]


async def test_a_redirect_is_an_answer_and_is_not_followed(server: Server, outgoing: Outgoing) -> None:
    where = f"http://127.0.0.1:{server.port}/elsewhere"
    head = ["HTTP/1.1 302 Found", f"location: {where}", "connection: close", "set-cookie: a=b", "content-length: 0"]
    server.answer = "\r\n".join([*head, "", ""]).encode()
    for _ in range(2):
        assert (await outgoing(Request("GET", f"http://127.0.0.1:{server.port}/"))).status == 302
    assert all(b"cookie" not in one for one in server.received)
    assert not any(b"elsewhere" in one for one in server.received)


async def test_an_answer_that_is_too_large_is_not_read_on(server: Server, outgoing: Outgoing) -> None:
    server.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n" + b"x" * 1001
    with pytest.raises(Unreachable, match="too_large"):
        await outgoing(Request("GET", f"http://127.0.0.1:{server.port}/"))


async def test_a_packed_answer_is_not_asked_for_and_not_unpacked(server: Server, outgoing: Outgoing) -> None:
    packed = gzip.compress(gzip.compress(b"0" * 10_000_000))
    head = ["HTTP/1.1 200 OK", "content-encoding: gzip, gzip", f"content-length: {len(packed)}", "", ""]
    server.answer = "\r\n".join(head).encode() + packed
    answer = await outgoing(Request("GET", f"http://127.0.0.1:{server.port}/"))
    assert (len(packed) < 1000, answer.body) == (True, packed)
    assert b"accept-encoding: identity\r\n" in server.received[0].lower()


async def test_names_whose_servers_hang_keep_nobody_from_another(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, ask = threading.Event(), socket.getaddrinfo

    def answers(host: str, *more: Any, **named: Any) -> Any:
        if host.startswith("hangs"):
            released.wait(10)
        return ask("127.0.0.1", *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    outgoing = Outgoing(LOOPBACK, seconds=2)
    hanging = [asyncio.create_task(outgoing(Request("GET", f"https://hangs{n}.example/"))) for n in range(40)]
    await asyncio.sleep(0.1)
    try:
        assert (await outgoing(Request("GET", f"http://localhost:{server.port}/"))).status == 200
    finally:
        released.set()
        await asyncio.gather(*hanging, return_exceptions=True)
        await outgoing.close()


async def test_an_answer_that_never_ends_is_given_up_in_time(server: Server, outgoing: Outgoing) -> None:
    server.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nx"
    with pytest.raises(Unreachable, match="timeout"):
        await outgoing(Request("GET", f"http://127.0.0.1:{server.port}/"))


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 2\r\n\r\n"])
async def test_an_answer_that_is_none_is_no_answer(server: Server, outgoing: Outgoing, answer: bytes) -> None:
    server.answer = answer + b"\r\n" * 40
    with pytest.raises(Unreachable):
        await outgoing(Request("GET", f"http://127.0.0.1:{server.port}/"))


async def test_where_nobody_listens_or_nothing_is_found_is_told_apart(outgoing: Outgoing) -> None:
    with pytest.raises(Unreachable, match="connection"):
        await outgoing(Request("GET", "http://127.0.0.1:1/"))

    async def nowhere(host: str, port: int) -> list[str]:
        raise OSError(host, port)

    lost = Outgoing(LOOPBACK, resolve=nowhere)
    with pytest.raises(Unreachable, match="unresolved"):
        await lost(Request("GET", "https://nowhere.example/"))
    await lost.close()


def _certificate(folder: Path, name: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names = x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("192.0.2.1"))])
    now = clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / f"{name}.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    return file


async def test_the_certificate_must_be_the_host_s_though_an_address_is_dialled(tmp_path: Path) -> None:
    file = _certificate(tmp_path, "crm.example")
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(file)
    server = Server()
    serving.set_servername_callback(lambda _socket, name, _context: server.names.append(name))
    listening = await server.start(serving)

    async def here(host: str, port: int) -> list[str]:
        del host, port
        return ["127.0.0.1"]

    trusting = Outgoing(LOOPBACK, resolve=here, tls=ssl.create_default_context(cafile=str(file)))
    assert (await trusting(Request("GET", f"https://crm.example:{server.port}/"))).status == 200
    assert server.names == ["crm.example"]
    with pytest.raises(Unreachable, match="tls"):
        await trusting(Request("GET", f"https://other.example:{server.port}/"))
    stranger = Outgoing(LOOPBACK, resolve=here)
    with pytest.raises(Unreachable, match="tls"):
        await stranger(Request("GET", f"https://crm.example:{server.port}/"))
    await trusting.close()
    await stranger.close()
    listening.close()

"""Who asks to speak something else than HTTP is refused, and that is no error of the server's."""

import socket

import pytest

from tests.serving.running import Server


@pytest.mark.parametrize(("upgrade", "status"), [("websocket", b"403"), ("h2c", b"200")])
def test_an_upgrade_is_refused_or_ignored(server: Server, upgrade: str, status: bytes) -> None:
    name, port = server.host.split(":")
    headers = f"Connection: Upgrade\r\nUpgrade: {upgrade}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    with socket.create_connection((name, int(port)), timeout=10) as connection:
        connection.sendall(f"GET /v2 HTTP/1.1\r\nHost: x\r\n{headers}Sec-WebSocket-Version: 13\r\n\r\n".encode())
        assert connection.recv(4096).split()[1] == status
    assert "without completing handshake" not in server.stderr.read_text()

"""What only strange clients do: it is ignored, and is no error of the server's."""

import socket

import pytest

from tests.serving.running import Server

ROW = {"miles": [100.0]}


def connected(server: Server) -> socket.socket:
    """A connection of its own."""
    name, port = server.host.split(":")
    return socket.create_connection((name, int(port)), timeout=10)


@pytest.mark.parametrize("upgrade", ["websocket", "h2c"])
def test_an_upgrade_is_ignored(server: Server, upgrade: str) -> None:
    headers = f"Connection: Upgrade\r\nUpgrade: {upgrade}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    with connected(server) as connection:
        connection.sendall(f"GET /v2 HTTP/1.1\r\nHost: x\r\n{headers}Sec-WebSocket-Version: 13\r\n\r\n".encode())
        assert connection.recv(4096).split()[1] == b"200"
    assert "without completing handshake" not in server.stderr.read_text()


@pytest.mark.parametrize("timeout", [10**400, 2**63, 1.5, True, -1, 0, "soon", None])
def test_a_timeout_that_is_none_is_the_specs(server: Server, timeout: object) -> None:
    assert server.infer(ROW, parameters={"timeout": timeout})[0] == 200

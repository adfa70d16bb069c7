"""The least that our server's server can do: answer a GET with eleven bytes."""

import sys

import uvicorn

HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"11")]


async def hello(scope, receive, send):
    """ASGI."""
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"hello world"})


if __name__ == "__main__":
    uvicorn.run(
        hello, host="127.0.0.1", port=int(sys.argv[2]), loop="uvloop", http="httptools", lifespan="off",
        access_log=False, log_config=None, server_header=False, date_header=False,
    )  # fmt: skip

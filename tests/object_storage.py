"""S3 on loopback for one test: moto's server, empty, found by the environment alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import Request, urlopen


@contextmanager
def object_storage(bucket: str) -> Iterator[dict[str, str]]:
    """The environment by which every S3 client finds a server that holds one empty ``bucket``.

    Moto's buckets are the process's, and s3fs keeps its clients for as long: both begin and end empty, so that no
    test meets another's objects or another's ended server.
    """
    from moto.server import ThreadedMotoServer
    from s3fs import S3FileSystem

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    S3FileSystem.clear_instance_cache()
    try:
        urlopen(Request(f"{endpoint}/moto-api/reset", method="POST")).close()
        S3FileSystem(endpoint_url=endpoint, key="testing", secret="testing", skip_instance_cache=True).mkdir(bucket)
        yield {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ALLOW_HTTP": "true",
        }
    finally:
        server.stop()
        S3FileSystem.clear_instance_cache()

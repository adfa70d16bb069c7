"""What GitHub doesn't have: the double's own routes under /_double, its hook, and files written straight into git."""

import secrets
import sys
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.github import access, actions, movement, views_actions
from tests.github.bare import Bare
from tests.github.exchange import GitHubError
from tests.github.world import Token, World

#: Tells the double of a push as soon as it is done, so that refs/pull/N/head can be fetched at once.
HOOK = """\
#!{python} -IS
import http.client, os
connection = http.client.HTTPConnection("{host}", timeout=30)
connection.request("POST", "/_double/look/{name}?by=" + os.environ.get("GITHUB_DOUBLE_PUSHER", ""))
connection.getresponse().read()
"""


def write_hook(path: Path, url: str, name: str) -> None:
    """The bare repository's post-receive hook."""
    hook = path / "hooks" / "post-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(HOOK.format(python=sys.executable, host=url.removeprefix("http://"), name=name))
    hook.chmod(0o755)


def write_files(
    bare: Bare, branch: str, files: Mapping[str, str | bytes | None], message: str, by: str, start: str = ""
) -> str:
    """A commit of files on a branch, by somebody; its sha."""
    parent = bare.resolve(f"refs/heads/{branch}") or (bare.resolve(start) if start else None)
    entries = [("100644", path, None if content is None else _blob(bare, content)) for path, content in files.items()]
    tree = bare.put_tree(parent, entries)
    address = f"{by}@users.noreply.github.com"
    env = {"GIT_AUTHOR_NAME": by, "GIT_AUTHOR_EMAIL": address, "GIT_COMMITTER_NAME": by, "GIT_COMMITTER_EMAIL": address}
    sha = bare.make_commit(tree, (parent,) if parent else (), message, env)
    bare.write(f"refs/heads/{branch}", sha)
    return sha


def _blob(bare: Bare, content: str | bytes) -> str:
    return bare.put_blob(content.encode() if isinstance(content, str) else content)


@cache
def key_pair() -> tuple[bytes, bytes]:
    """A private key and its public one, as PEM. One for all Apps of a process: making one takes long."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private, public


def routes(world: World, lock: threading.RLock) -> list[Route]:
    """/_double/..., and of GraphQL the one question that REST has no answer to: whose a token is."""

    async def whose(request: Request) -> Response:
        asked = await request.body()
        try:
            with lock:
                token = access.identify(world, request.headers.get("authorization"))
        except GitHubError as error:
            return JSONResponse({"message": str(error)}, 401)
        if b"viewer { login }" not in asked:
            return JSONResponse({"message": "The double answers `viewer { login }` only."}, 400)
        login = token.user.login if token else None
        return JSONResponse({"data": {"viewer": {"login": login}}})

    def look(request: Request) -> Response:
        repository = world.repository("{owner}/{repo}".format_map(request.path_params))
        by = request.query_params.get("by")
        with lock:
            movement.look(world, repository, Token(world.user(by)) if by else None)
        return Response(status_code=204)

    def download(request: Request) -> Response:
        with lock:
            found = world.repository("{owner}/{repo}".format_map(request.path_params)).artifacts[
                request.path_params["id"]
            ]
        if not secrets.compare_digest(request.query_params.get("signature", ""), found.digest[7:39]):
            return Response("Signature did not match", 403)
        return Response(found.content, media_type="application/zip")

    async def upload(request: Request) -> Response:
        root, run = world.repository("{owner}/{repo}".format_map(request.path_params)), request.path_params["run"]
        content = await request.body()
        try:
            with lock:
                made = actions.upload(world, root, run, request.query_params["name"], content)
                return JSONResponse(views_actions.artifact(world, root, made), 201)
        except GitHubError as error:
            return JSONResponse(error.body(), error.status)

    return [
        Route("/graphql", whose, methods=["POST"]),
        Route("/_double/look/{owner}/{repo}", look, methods=["POST"]),
        Route("/_double/artifacts/{owner}/{repo}/{id:int}", download, methods=["GET"]),
        Route("/_double/runs/{owner}/{repo}/{run:int}/artifacts", upload, methods=["POST"]),
    ]

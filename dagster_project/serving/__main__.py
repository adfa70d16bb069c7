"""``python -m dagster_project.serving``: what ``acts serve`` starts."""

import argparse
import sys
from pathlib import Path

from dagster_project.domain.errors import ActsError
from dagster_project.domain.workspace import Workspace


def main() -> int:
    """Run a server; its exit code."""
    parser = argparse.ArgumentParser(prog="acts serve")
    parser.add_argument("--repo", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--tokens", type=Path)
    parser.add_argument("--poll", type=float, default=1.0)
    parser.add_argument("--rate", type=float, default=0.0)
    given = vars(parser.parse_args())
    from dagster_project.serving.server import Settings, serve

    try:
        serve(Settings(workspace=Workspace(repo=given.pop("repo").resolve()), **given))
    except ActsError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())

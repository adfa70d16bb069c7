"""The training program as Dagster's Pipes start it: the same program, in a Pipes session.

``python -m dagster_project.factories.trainer REQUEST.json``. On Kubernetes ``dagster_project.training.job`` is the
entrypoint by itself; it knows of no Dagster.
"""

import sys


def main(arguments: list[str]) -> int:
    """Train; the exit code is the training program's."""
    from dagster_pipes import open_dagster_pipes

    from dagster_project.training.job import main as train

    with open_dagster_pipes():
        return train(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

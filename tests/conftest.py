"""What a developer or CI has set for its own jobs reaches no test: none writes to the team's Dagster."""

import os

for _name in ("ACTS_DAGSTER_POSTGRES_URL", "ACTS_DAGSTER_UI", "ACTS_COMMIT", "ACTS_PULL_REQUEST", "ACTS_LAUNCHER"):
    os.environ.pop(_name, None)


def pytest_report_header() -> list[str]:
    """What this run can't check."""
    from tests import strict

    return [] if strict.THERE else [f"manifests: {strict.WORDS}"]

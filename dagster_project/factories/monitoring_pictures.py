"""Plots of what monitoring found, for asset metadata."""

from dagster_project.domain.monitored import Monitored


def pictures(look: Monitored) -> dict[str, str]:
    """Markdown with a picture, by name; empty where a part has nothing to draw."""
    return {}

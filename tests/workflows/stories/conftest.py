"""Fixtures of the stories."""

from tests.workflows.stories.playing import double, stage

__all__ = ["double", "stage"]

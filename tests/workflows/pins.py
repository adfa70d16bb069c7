"""The actions that a workflow may use: each by the commit of a release, which its tag named when it was looked up."""

from pathlib import Path
from typing import NamedTuple

STANDINS = Path(__file__).with_name("standins")


class Pin(NamedTuple):
    """A release of an action."""

    tag: str
    commit: str


PINS = {
    "actions/checkout": Pin("v7.0.1", "3d3c42e5aac5ba805825da76410c181273ba90b1"),
    "actions/setup-python": Pin("v7.0.0", "5fda3b95a4ea91299a34e894583c3862153e4b97"),
    "actions/upload-artifact": Pin("v7.0.0", "bbbca2ddaa5d8feaa63e36b76fdaad77386f024f"),
    "actions/download-artifact": Pin("v8.0.1", "3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c"),
    "actions/create-github-app-token": Pin("v3.1.1", "1b10c78c7865c340bc4f6099eb2f838309f1e8c3"),
    "actions/attest-build-provenance": Pin("v4.1.0", "a2bbfa25375fe432b6a289bc6b6cd05ecd0c4c32"),
    "aws-actions/configure-aws-credentials": Pin("v6.2.3", "e6de054238d6b7531b4efff3b6587d9aade6a06c"),
    "docker/login-action": Pin("v4.1.0", "4907a6ddec9925e35a0a9e82d7399ccc52663121"),
    "docker/build-push-action": Pin("v7.3.0", "53b7df96c91f9c12dcc8a07bcb9ccacbed38856a"),
    "helm/kind-action": Pin("v1.14.0", "ef37e7f390d99f746eb8b610417061a60e82a6cc"),
}


def standins() -> dict[str, Path]:
    """``owner/name@commit`` of each action that has a stand-in, and its folder."""
    places = {f"{action}@{pin.commit}": STANDINS / action for action, pin in PINS.items()}
    return {action: folder for action, folder in places.items() if folder.is_dir()}

"""``acts compute access``: what an administrator applies once, before the first lease. Applies nothing."""

import argparse
import json
import os
import sys

from dagster_project.compute.access import access
from dagster_project.compute.storage_policy import storage_policy
from dagster_project.domain.compute import KubeRayProfile, Profiles
from dagster_project.domain.errors import PASSED, UsageError
from dagster_project.domain.manifests import render
from dagster_project.domain.profiles import load_profiles


def add_access(parser: argparse.ArgumentParser) -> None:
    """Its flags."""
    parser.add_argument("profile")
    parser.add_argument("--storage", action="store_true", help="the account's rights on object storage instead")
    parser.add_argument("--warehouse", default=os.environ.get("ACTS_WAREHOUSE"), help="default: ACTS_WAREHOUSE")
    parser.set_defaults(run=print_access)


def print_access(given: argparse.Namespace) -> int:
    """Manifests as YAML, or with ``--storage`` the policy as JSON, on standard output.

    Raises:
        UsageError: there is no such profile on Kubernetes, or no warehouse on object storage.
    """
    profile = cluster_profile(load_profiles(), given.profile)
    if not given.storage:
        sys.stdout.write(render(*access(profile)))
        return PASSED
    if not given.warehouse:
        raise UsageError("--warehouse: where the rows lie, such as s3://bucket/warehouse; ACTS_WAREHOUSE is not set.")
    print(json.dumps(storage_policy(profile, given.warehouse), indent=2))
    return PASSED


def cluster_profile(profiles: Profiles, name: str) -> KubeRayProfile:
    """The profile of that name.

    Raises:
        UsageError: there is none, or it is no cluster.
    """
    profile = profiles.profiles.get(name)
    if isinstance(profile, KubeRayProfile):
        return profile
    there = ", ".join(name for name, each in profiles.profiles.items() if each.kind == "kuberay")
    raise UsageError(f"{name}: no profile of a cluster. There is: {there or 'none; docs/compute.md tells how'}.")

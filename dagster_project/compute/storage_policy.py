"""What the pods of a lease may do on object storage, as a policy for the role of their account (AWS IAM). Pure.

They read the train and validation rows, which lie below ``splits`` of the warehouse, and the folders of leases; they
write below the output of a lease. No snapshot is among it: a snapshot holds the holdout's rows, and a split never does.
"""

from typing import Any

from dagster_project.domain.compute import KubeRayProfile
from dagster_project.domain.errors import UsageError
from dagster_project.domain.lease import LeaseFolder

SPLITS = "splits"
VERSION = "2012-10-17"  # of the policy language


def storage_policy(profile: KubeRayProfile, warehouse: str) -> dict[str, Any]:
    """The policy. ``warehouse`` is the URI that ACTS_WAREHOUSE names.

    Raises:
        UsageError: one of the two places is not on S3.
    """
    readable = [f"{warehouse.rstrip('/')}/{SPLITS}/*", f"{profile.leases.rstrip('/')}/*"]
    writable = f"{LeaseFolder.of(profile.leases, '*').output}/*"
    return {
        "Version": VERSION,
        "Statement": [
            _allow("ReadRowsAndRequests", ["s3:GetObject"], [_arn(uri) for uri in readable]),
            # Checkpoints that are no longer the last are taken away.
            _allow("WriteOutput", ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], [_arn(writable)]),
            *(_listing(index, uri) for index, uri in enumerate(readable)),
        ],
    }


def _listing(index: int, uri: str) -> dict[str, Any]:
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    condition = {"StringLike": {"s3:prefix": [prefix]}}
    return {**_allow(f"List{index}", ["s3:ListBucket"], [f"arn:aws:s3:::{bucket}"]), "Condition": condition}


def _allow(identity: str, actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Sid": identity, "Effect": "Allow", "Action": actions, "Resource": resources}


def _arn(uri: str) -> str:
    if not uri.startswith("s3://"):
        words = "Give the account the same rights there: read what is below splits, and below leases; write below out."
        raise UsageError(f"{uri}: no place on S3, and this policy is AWS's. {words}")
    return f"arn:aws:s3:::{uri.removeprefix('s3://')}"

"""dagster-ray's Pipes client for a RayJob, patient where it isn't, and with the token that Ray asks for."""

import asyncio
import os
import time
from contextlib import suppress
from typing import Any

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError  # not among Dagster's public names
from dagster_ray.core.pipes import PipesRayJobMessageReader
from dagster_ray.kuberay import PipesKubeRayJobClient
from dagster_ray.kuberay.client import RayJobClient
from dagster_ray.kuberay.client.rayjob.client import FAILED_JOB_DEPLOYMENT_STATUSES, format_job_deployment_failure
from dagster_ray.kuberay.utils import is_retryable_k8s_api_exception

from dagster_project.compute.clusters import GONE, Cluster
from dagster_project.domain.compute import KubeRayProfile
from dagster_project.domain.errors import MachineryError

ADDRESS = "ACTS_RAY_ADDRESS"
"""Where Ray's dashboard answers, where neither the cluster's names nor a port forward lead there."""
IN_CLUSTER = "KUBERNETES_SERVICE_HOST"
PATIENCE = 120.0  # seconds in which an API server that is away may come back


class PatientJobs(RayJobClient):
    """A hiccup of the API server ends no training; a job that failed while it ran is not waited for any more."""

    def get_status(self, name: str, namespace: str, timeout: float = 60, poll_interval: float = 1.0) -> Any:
        """The job's status.

        Raises:
            ApiException: the API server refuses, or has been away for too long; 404: the job is gone.
            RuntimeError: the operator gave the job up, at its deadline for one, without Ray having said so.
        """
        status = self._status(name, namespace, timeout, poll_interval)
        given_up = status.get("jobDeploymentStatus") in FAILED_JOB_DEPLOYMENT_STATUSES
        if given_up and status.get("jobStatus") in ("PENDING", "RUNNING"):
            raise RuntimeError(format_job_deployment_failure(name, namespace, status))
        return status

    def _status(self, name: str, namespace: str, timeout: float, poll_interval: float) -> Any:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return super().get_status(name, namespace, timeout, poll_interval)
            except Exception as error:
                gone = getattr(error, "status", None) == GONE
                if gone or not is_retryable_k8s_api_exception(error) or time.monotonic() > deadline:
                    raise
                time.sleep(poll_interval)


class LinesOfRay(PipesRayJobMessageReader):
    """Reads the job's lines, and closes what it reads them with."""

    def handle_job_logs(self, handler: dg.PipesMessageHandler) -> None:
        """Runs on the reader's own thread, until the lines end or the session has."""
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            super().handle_job_logs(handler)
        finally:
            loop.close()


class LeasePipes(PipesKubeRayJobClient):
    """Submits, follows and reads the lines of one RayJob. Its user deletes the job, but for an interrupted one."""

    def __init__(self, profile: KubeRayProfile, cluster: Cluster) -> None:
        self._headers_of_ray: dict[str, str] = {}
        self._cluster = cluster
        self._lines = LinesOfRay({"headers": self._headers_of_ray})
        address = os.environ.get(ADDRESS) or None
        super().__init__(
            client=PatientJobs(kube_context=profile.context),
            message_reader=self._lines,
            forward_termination=False,
            timeout=profile.start_within.total_seconds() + PATIENCE,
            port_forward=address is None and IN_CLUSTER not in os.environ,
            address=address,
        )

    def _start(self, context: Any, session: dg.PipesSession, ray_job: dict[str, Any]) -> dict[str, Any]:
        started = super()._start(context, session, ray_job)
        token = self._cluster.token(started["status"]["rayClusterName"])
        if token:
            self._headers_of_ray["Authorization"] = f"Bearer {token}"
        self.headers = self._headers_of_ray
        return started

    def _wait_for_completion(self, context: Any, start_response: dict[str, Any]) -> Any:
        """A job that is over before its lines are followed keeps them: that it failed at once is told in them.

        One that is interrupted is deleted here: its lines end with it, and who reads them is waited for next, for
        half a minute otherwise; that is all the time that whoever sent SIGTERM may give us.
        """
        self._lines.thread_ready.wait(PATIENCE)
        try:
            return super()._wait_for_completion(context, start_response)
        except (DagsterExecutionInterruptedError, KeyboardInterrupt):
            with suppress(MachineryError):  # releasing the lease tries again, and says so
                self._cluster.delete("rayjobs", start_response["metadata"]["name"])
            raise

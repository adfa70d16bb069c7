"""A sensor for each cluster that lends machines: it deletes what outlived its lease, from outside of what it reaps."""

import dagster as dg

from dagster_project.domain.compute import KubeRayProfile
from dagster_project.domain.profiles import load_profiles
from dagster_project.domain.workspace import Workspace
from dagster_project.factories.naming import identifier
from dagster_project.storage.leases import LeaseLedger

SECONDS = 300


def reaping_sensors(workspace: Workspace) -> list[dg.SensorDefinition]:
    """One for each profile that has a cluster. dagster-ray's own knows neither RayJobs nor what a RayJob owns.

    The team's Dagster runs all the time and has the leases' ledger, so there they are on; on a laptop, whose ledger
    may not know of others' leases, they wait to be turned on.
    """
    on = dg.DefaultSensorStatus.RUNNING if workspace.shares_dagster else dg.DefaultSensorStatus.STOPPED
    profiles = load_profiles().profiles
    return [_sensor(name, workspace, on) for name, each in profiles.items() if isinstance(each, KubeRayProfile)]


def _sensor(profile: str, workspace: Workspace, status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"reap_{identifier(profile)}",
        minimum_interval_seconds=SECONDS,
        description=f"Deletes RayJobs and RayClusters of {profile} that outlived their lease.",
        default_status=status,
    )
    def reaper(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        from dagster_project.compute.reap import words
        from dagster_project.compute.reaper import reap

        done = reap(profile, load_profiles(), LeaseLedger(workspace.ledger))
        lines = list(words(profile, done))
        for line in lines:
            context.log.info(line)
        return dg.SkipReason("; ".join(lines))

    return reaper

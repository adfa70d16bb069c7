"""Programs that the command line starts: Dagster runs and training. Their result file says what happened."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from dagster_project.domain.build import BuildResult
from dagster_project.domain.errors import MachineryError, RefusedError, UsageError, UserFileError
from dagster_project.domain.origin import Origin
from dagster_project.domain.workspace import Workspace

STDERR = 2
_QUIET = {"DAGSTER_DISABLE_TELEMETRY": "yes", "RAY_USAGE_STATS_ENABLED": "0", "PYTHONUNBUFFERED": "1"}


def run_module(
    workspace: Workspace, module: str, *arguments: str, quiet: bool = False, origin: Origin | None = None
) -> int:
    """Run ``python -m module`` on the workspace's repository; its exit code. Its output is ours, or goes to stderr."""
    told = origin.variables if origin else {}
    environment = {**os.environ, **_QUIET, **told, "ACTS_REPO": str(workspace.repo)}
    output = STDERR if quiet else None
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], env=environment, stdout=output)
    try:
        return process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise


def run_build(
    workspace: Workspace,
    kind: str,
    name: str,
    *,
    quiet: bool = False,
    tree: Path | None = None,
    origin: Origin | None = None,
) -> BuildResult:
    """Build a dataset or a model in a Dagster run.

    ``tree``: a folder whose contracts and models are built, in place of the repository's; ``origin``: for whom.

    Raises:
        UsageError, RefusedError, MachineryError: the program ended without a result; what it printed says why.
    """
    options = ("--kind", kind, "--name", name, *(("--tree", str(tree)) if tree else ()))
    found = asked(workspace, "build", *options, what=f"{name}: not built", quiet=quiet, origin=origin)
    return BuildResult.from_json(found)


def asked(
    workspace: Workspace, program: str, *options: str, what: str, quiet: bool = False, origin: Origin | None = None
) -> bytes:
    """What a program of ``dagster_project`` wrote into its result file. ``what`` is wrong where it wrote none.

    Raises:
        UsageError, RefusedError, MachineryError: it ended without a result; what it printed says why.
    """
    with tempfile.TemporaryDirectory(prefix=f"acts-{program}-") as folder:
        result = Path(folder) / "result.json"
        given = ("--repo", str(workspace.repo), "--result", str(result), *options)
        code = run_module(workspace, "dagster_project", program, *given, quiet=quiet, origin=origin)
        if result.exists():
            return result.read_bytes()
    if code == UserFileError.exit_code:
        raise UsageError(f"{what}: a file or what was asked is wrong (see above).")
    if code == RefusedError.exit_code:
        raise RefusedError(f"{what}: it was refused or stopped (see above).")
    raise MachineryError(
        f"{what}: the program ended with exit code {code} and left no result. Its last lines are above."
    )


def record(workspace: Workspace, *files: Path, deployed: bool = False, origin: Origin | None = None) -> None:
    """Tell Dagster what happened outside of its runs: verdicts, promotions, and locks that were ``deployed``.

    ``origin``: for whom, where the environment doesn't say.

    Raises:
        MachineryError: Dagster's instance could not be written.
    """
    options = ("--repo", str(workspace.repo), *(("--deployed",) if deployed else ()))
    code = run_module(workspace, "dagster_project", "record", *options, *map(str, files), quiet=True, origin=origin)
    if code:
        raise MachineryError(
            f"recording {', '.join(path.name for path in files)} in Dagster ended with exit code {code}."
        )

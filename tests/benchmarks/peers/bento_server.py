"""BentoML: a service around the session, served by its own command."""

import os
import sys
from pathlib import Path

import bentoml
import numpy as np
from session import kinds, make_session


@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Model:
    """JSON lists by input, JSON lists by output."""

    def __init__(self) -> None:
        self.session = make_session()
        self.kinds = kinds(self.session)
        self.outputs = [entry.name for entry in self.session.get_outputs()]

    @bentoml.api
    async def predict(self, inputs: dict[str, list]) -> dict[str, list]:
        """On the event loop: a thread, which a plain function gets here, would cost this server more."""
        feed = {name: np.array(rows, self.kinds[name]) for name, rows in inputs.items()}
        answers = self.session.run(self.outputs, feed)
        return {name: answer.tolist() for name, answer in zip(self.outputs, answers, strict=True)}


if __name__ == "__main__":
    here = Path(__file__)
    command = [sys.executable, "-m", "bentoml", "serve", f"{here.stem}:Model", "--working-dir", str(here.parent)]
    given = {"PEER_MODEL": sys.argv[1], "BENTOML_HOME": str(Path.cwd()), "BENTOML_DO_NOT_TRACK": "True"}
    os.execve(sys.executable, [*command, "--host", "127.0.0.1", "--port", sys.argv[2]], {**os.environ, **given})

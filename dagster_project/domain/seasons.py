"""Which step of a window is a season, or some of them, before the step that is asked for."""


def season_lag(steps: int, season: int, horizon: int) -> int:
    """The step's place in the window, 0 the oldest.

    Raises:
        ValueError: the window does not reach so far back.
    """
    seasons = -(-horizon // season)
    place = steps - 1 + horizon - seasons * season
    if place < 0:
        raise ValueError(f"a window of {steps} steps does not reach {seasons * season} steps before its target")
    return place

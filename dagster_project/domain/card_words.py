"""Numbers of a model card in words that everybody reads alike."""

from datetime import timedelta

_MARKS = str.maketrans({"|": "\\|", "<": "&lt;", ">": "&gt;", "[": "\\[", "]": "\\]", "`": "'", "*": "\\*", "_": "\\_"})


def readable(text: str) -> str:
    """Somebody's text on one line, as text: none of it is Markdown or HTML."""
    return " ".join(text.split()).translate(_MARKS)


def good(metric: str, value: float) -> str:
    """What a metric's value means for somebody who has never heard of it."""
    times = round(100 * value)
    return {
        "accuracy": f"right {times} times in 100",
        "balanced_accuracy": f"right {times} times in 100 where every class is as frequent",
        "roc_auc": f"of one case that is and one that is not, it tells which {times} times in 100; 50 is a coin",
        "average_precision": f"of those it ranks first, {times} in 100 are right, on average over how many are taken",
        "f1": "1 is all found and none too many",
        "log_loss": "0 is perfect; less is better",
        "brier": "0 is perfect; less is better",
        "rmse": "the usual size of an error, large ones counted more",
        "mae": "the average error",
        "r2": f"it explains {times} % of how the values differ",
    }.get(metric, "")


def hours(span: timedelta) -> str:
    """A time before or after an event."""
    if not span:
        return "at"
    amount, unit = (
        (abs(span) / timedelta(days=1), "days")
        if abs(span) >= timedelta(days=2)
        else (abs(span) / timedelta(hours=1), "hours")
    )
    return f"{amount:g} {unit} {'after' if span > timedelta(0) else 'before'}"

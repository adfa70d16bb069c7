"""How a deployment or a dry run ended, in words."""

from ci.deploying.deployment import Deployment
from ci.deploying.desired import rejection_words
from ci.deploying.standing import Fleet
from ci.deploying.tables import change_rows, live_rows, table
from ci.deploying.waiting import Watch
from ci.options import count, say

NAMED = 5
_REVERT = "The champion before stays. Revert the lock's commit (git revert) and deploy, or promote another champion."


def show(found: Deployment) -> None:
    """How a deployment or a dry run ended."""
    for obstacle in found.obstacles:
        say(str(obstacle), "yellow" if obstacle.kind == "refused" else "red")
    if found.outcome in ("refused", "wrong", "broken"):
        say(f"Nothing was published: {count(len(found.obstacles), 'problem')} to solve first.", "red")
    if found.unrecorded:
        say(f"Published, but Dagster was not told: {found.unrecorded}", "red")
    if found.watch:
        _watched(found.watch)


def show_comparison(found: Deployment) -> None:
    """A dry run: the commit against what is published, and what is published against what is live."""
    for note in found.notes:
        say(note, "yellow")
    if not found.obstacles:
        say(f"Published → commit {found.commit[:12]}")
        table(("model", "published", "this commit", ""), change_rows(found.changes))
    say("")
    if found.live is None:
        say("Nothing is published yet.")
    else:
        say("Published → live")
        table(("server", "model", "published", "live", ""), live_rows(found.live))
        _dead(found.live)
    show(found)


def _watched(watch: Watch) -> None:
    _dead(watch.fleet)
    match watch.ending:
        case "served":
            moving = any(m.place in ("canary", "shadow") for s in watch.fleet.servers for m in s.models)
            how = "has it; rollouts go on by themselves" if moving else "serves it"
            servers = len(watch.fleet.servers)
            say(
                f"{'The server' if servers == 1 else f'Each of {servers} servers'} {how} ({watch.seconds:.1f} s).",
                "green",
            )
        case "nobody":
            say("No server is running: the next one that starts will serve this. Start one with acts serve.", "yellow")
        case "rejected":
            for rejection in watch.rejections:
                say(f"{rejection.model}: {rejection_words(rejection)}", "red")
            say(_REVERT, "red")
        case "replaced":
            say(f"Commit {str(watch.replaced_by)[:12]} was deployed meanwhile; this deployment is replaced.", "red")
        case "late":
            _late(watch)


def _late(watch: Watch) -> None:
    late = [server for server in watch.fleet.servers if not server.there]
    of = f"{len(late)} of {count(len(watch.fleet.servers), 'server')}"
    say(f"After {watch.seconds:.0f} s {of} {'does' if len(late) == 1 else 'do'} not serve what is published:", "red")
    for server in late:
        for line in server.missing:
            say(f"  {line}", "red")
    say("It stays published and servers go on trying: deploy again to wait longer, or look at their logs.")


def _dead(fleet: Fleet) -> None:
    if fleet.dead:
        newest = sorted(fleet.dead.items(), key=lambda entry: abs(entry[1]))
        named = ", ".join(f"{server} ({_ago(seconds)})" for server, seconds in newest[:NAMED])
        more = f" and {len(newest) - NAMED} more" if len(newest) > NAMED else ""
        say(f"Ignored, taken for dead: {count(len(newest), 'server')} without a fresh report: {named}{more}.", "yellow")


def _ago(seconds: float) -> str:
    return f"{seconds:.0f} s ago" if seconds >= 0 else f"its clock is {-seconds:.0f} s ahead"

"""A JSON web token signed by the App's key, its installation, the installation's token."""

import re
import time

import api
import jwt


def main() -> None:
    """Put the token out, masked."""
    given = api.inputs()
    now, key = int(time.time()), given["private-key"].replace("\\n", "\n")
    signed = jwt.encode({"iat": now - 60, "exp": now + 540, "iss": given["client-id"]}, key, "RS256")
    names = [name for name in re.split(r"[\s,]+", given["repositories"]) if name]
    installation = api.ask("GET", f"/repos/{given['owner']}/{names[0]}/installation", signed)
    wanted = {
        name[11:].replace("-", "_"): level for name, level in given.items() if name.startswith("permission-") and level
    }
    body = {"repositories": names, **({"permissions": wanted} if wanted else {})}
    token = api.ask("POST", f"/app/installations/{installation['id']}/access_tokens", signed, body)["token"]
    print(f"::add-mask::{token}")
    api.put_out(token=token, installation_id=installation["id"], app_slug=installation["app_slug"])


main()

"""Who may do what: bearer tokens, and rules as a Role has them. Pure but for the tokens that are handed out."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from tests.kubernetes.refusals import Refusal

Rules = list[dict[str, Any]]
ADMIN: Rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]


@dataclass
class Accounts:
    """Tokens and the rules of who holds them, in one namespace or (None) in all."""

    known: dict[str, tuple[str, Rules, str | None]] = field(default_factory=dict)

    def add(self, name: str, rules: Rules, namespace: str | None = None) -> str:
        """A new account's token."""
        token = secrets.token_urlsafe(24)
        self.known[token] = (name, rules, namespace)
        return token

    def admit(self, authorization: str, verb: str, group: str, resource: str, namespace: str | None) -> str:
        """The account's name, where its rules allow the request.

        Raises:
            Refusal: 401 for a stranger, 403 for what the rules do not name.
        """
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer" or token not in self.known:
            raise Refusal(401, "Unauthorized", "Unauthorized")
        name, rules, place = self.known[token]
        inside = place is None or namespace == place
        if not inside or not any(_allows(rule, verb, group, resource) for rule in rules):
            where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
            words = f'User "{name}" cannot {verb} resource "{resource}" in API group "{group}" {where}'
            raise Refusal(403, "Forbidden", f"{resource} is forbidden: {words}")
        return name


def _allows(rule: dict[str, Any], verb: str, group: str, resource: str) -> bool:
    pairs = ((group, rule["apiGroups"]), (resource, rule["resources"]), (verb, rule["verbs"]))
    return all(wanted in given or "*" in given for wanted, given in pairs)

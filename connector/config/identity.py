"""``identity`` of a ``[sources.<name>]`` table: whether a page may name users without proof."""

from __future__ import annotations

from typing import Final

from connector.config.secrets import Secret, Vault
from connector.config.toml import Table
from connector.model import Trust

CLAIMED: Final = "claimed"
VERIFIED: Final = "verified"
SHORTEST: Final = 16  #: letters of a secret; fewer could be tried out from one known signature

_GIVE: Final = 'add identity_secrets = ["env:NAME"], and sign user ids with it on your server'


def identity(table: Table, trust: Trust, vault: Vault) -> tuple[Secret, ...] | None:
    """What user ids must be signed with, the newer secret first; None where they are believed."""
    chosen = table.text("identity", CLAIMED, choices=(CLAIMED, VERIFIED))
    secrets = vault.several(table, "identity_secrets")
    if chosen == CLAIMED:
        if "identity_secrets" in table:
            remedy = f'add identity = "{VERIFIED}", or take it away'
            table.fault("identity_secrets", "is of no use here", remedy)
        return None
    if trust is not Trust.browser:
        remedy = 'take it away; only the pages of trust = "browser" have to prove users'
        table.fault("identity", f"is of no use to a {trust} source", remedy)
    elif not table.raw("identity_secrets"):
        table.fault("identity", "has nothing to prove users with", _GIVE)
    elif vault.needed and any(len(each.reveal()) < SHORTEST for each in secrets):
        remedy = "make one: openssl rand -hex 32"
        table.fault("identity_secrets", f"is shorter than {SHORTEST} letters", remedy)
    return secrets

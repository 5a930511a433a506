"""The demo's working folder: the starters as they are shipped, and a config of its own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from connector import starters
from connector.demo import day

SECRETS: Final = {
    "site": "demo-site-key",
    "backend": "demo-backend-key",
    "shop": "demo-shop-secret",
    "firm": "whsec_ZGVtby1zZWNyZXQtb2YtdGhlLXNlcnZpY2UtZmlybQ==",
    "sandbox": "demo-sandbox-secret",
}
"""What the demo's sources sign with; each is a file of the folder, named by ``config.toml``."""

CONFIG: Final = """\
# Written by `connector demo`: a folder like that of `connector init`, with a clock that is set by
# hand and people who answer by script. Nothing in it reaches anybody.
brand = "{brand}"
help_contact = "help@{host}"
country = "US"
language = "en"
link_hosts = ["{host}"]
test_clock = true

[web]
host = "127.0.0.1"
port = {port}

[sources.site]                         # the shop's pages: a public key, so little is believed
mapping = "segment"
trust = "browser"
keys = ["file:secrets/site"]

[sources.backend]                      # the shop's server
mapping = "segment"
trust = "trusted"
keys = ["file:secrets/backend"]

[sources.shop]                         # its checkout, by signed webhooks: POST /in/shop
mapping = "shopify"
trust = "trusted"
secrets = ["file:secrets/shop"]

[sources.firm]                         # the fitting service, by signed webhooks: POST /in/firm
mapping = "standard"
trust = "trusted"
secrets = ["file:secrets/firm"]

[provider]
use = "sandbox"

[providers.sandbox]
secret = "file:secrets/sandbox"
{script}
[[providers.sandbox.script]]           # every other text arrives at once
after = "60ms"

[crm]
use = "local"

[holdout]
enabled = false
"""
SCENE: Final = """
[[providers.sandbox.script]]
to = "{to}"
contains = "{contains}"
reply = "{reply}"
after = "250ms"
"""


def write_folder(folder: Path, port: int) -> None:
    """The working folder: the starters as they are shipped, and the demo's own config."""
    for name, source in starters.files():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    secrets = folder / "secrets"
    secrets.mkdir(exist_ok=True)
    for owner, secret in SECRETS.items():
        (secrets / owner).write_text(secret)
    script = "".join(
        SCENE.format(to=scene.to, contains=scene.contains, reply=scene.reply)
        for scene in day.SCENES
    )
    config = CONFIG.format(brand=day.BRAND, host=day.HOST, port=port, script=script)
    (folder / "config.toml").write_text(config)

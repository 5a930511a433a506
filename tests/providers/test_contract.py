"""Every adapter keeps the contract; each kit is that adapter's other side."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

from connector.providers import ADAPTERS
from tests.providers.contract import KitClass, contract_of
from tests.providers.kit_aws import AwsKit
from tests.providers.kit_bird import BirdKit
from tests.providers.kit_plivo import PlivoKit
from tests.providers.kit_sandbox import SandboxKit
from tests.providers.kit_sinch import SinchKit
from tests.providers.kit_telnyx import TelnyxKit
from tests.providers.kit_twilio import TwilioKit
from tests.providers.kit_vonage import VonageKit

KITS: dict[str, KitClass] = {
    "sandbox": SandboxKit,
    "twilio": TwilioKit,
    "telnyx": TelnyxKit,
    "vonage": VonageKit,
    "plivo": PlivoKit,
    "sinch": SinchKit,
    "bird": BirdKit,
    "aws": AwsKit,
}

for _name, _kit in KITS.items():
    globals()[f"Test{_kit.__name__.removesuffix('Kit')}"] = contract_of(_kit)


def test_every_adapter_is_in_the_contract() -> None:
    assert set(ADAPTERS) == set(KITS)


def test_a_kit_tries_the_adapter_that_the_configuration_names(tmp_path: Path) -> None:
    for name, kit in KITS.items():
        made = kit(tmp_path)
        adapter = type(made.provider)
        made.close()
        assert ADAPTERS[name] == f"{adapter.__module__}:{adapter.__name__}"
        assert made.provider.name == name


HEAVY = ("requests", "urllib3", "boto3", "botocore")
PROGRAM = f"""
import pickle, sys
from connector.config.adapters import load_class
from datetime import datetime
now, adapters = pickle.load(sys.stdin.buffer)
for adapter, settings, hooks in adapters:
    provider = load_class(adapter)(**settings)
    for hook in hooks:
        provider.verify(hook, now)
        assert provider.parse(hook)
loaded = [name for name in {HEAVY!r} if name in sys.modules]
sys.exit(f"loaded: {{loaded}}" if loaded else 0)
"""


def test_hearing_of_texts_loads_no_http_client(tmp_path: Path) -> None:
    from tests.providers.contract import NOW

    told = []
    for name, kit in KITS.items():
        made = kit(tmp_path)
        hooks = [made.receipt(next(iter(kit.statuses))), made.reply("hello")]
        told.append((ADAPTERS[name], dict(made.settings), hooks))
        made.close()
    given = pickle.dumps((NOW, told))
    subprocess.run([sys.executable, "-c", PROGRAM], input=given, check=True)

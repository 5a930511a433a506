"""How the adapter logs in, whom it calls, and that what it sends is what Salesforce documents."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import responses

from connector.config import adapters
from connector.crms.salesforce.adapter import Salesforce
from connector.errors import CrmUnavailable
from connector.model import Subject
from connector.records import Wanted
from tests.crms.contract import activity, fields
from tests.crms.salesforce_server import HOST, KEY, SECRET, Call, Server
from tests.crms.test_salesforce import SalesforcePlace, opened

SAMPLES = json.loads((Path(__file__).parent / "salesforce_requests.json").read_text())["requests"]
ID = "0035g00000Zz9yXAAR"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture(scope="module")
def private_key() -> str:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem.decode()


def sample(name: str) -> dict[str, Any]:
    [found] = [each for each in SAMPLES if each["name"] == name]
    return dict(found)


def fits(call: Call, name: str) -> bool:
    """Whether a call has the method and path of one of Salesforce's own samples."""
    asked = sample(name)
    path = asked["path"].replace("{{site}}", "").replace("{{version}}", "66.0").rstrip("/")
    pattern = re.sub(r"\\\{\\\{\w+\\\}\\\}|<\w+>", r"[A-Za-z0-9_]+", re.escape(path))
    return bool(call.method == asked["method"] and re.fullmatch(pattern, call.path.rstrip("/")))


def test_client_credentials_are_one_call_with_the_app_in_its_header(server: Server) -> None:
    crm = opened(server)
    assert crm.notes == ()
    crm.read("contact", [ID])
    crm.read("contact", [ID])
    [login] = server.org.logins()
    assert (login.method, login.path) == ("POST", "/services/oauth2/token")
    assert login.form == {"grant_type": "client_credentials"}
    basic = base64.b64decode(login.headers["authorization"].removeprefix("Basic ")).decode()
    assert basic == f"{KEY}:{SECRET}"
    assert dict(crm.calls) == {"login": 1, "read": 2}


def test_a_jwt_is_signed_for_the_login_host(server: Server, private_key: str) -> None:
    import jwt

    crm = opened(
        server, consumer_secret="", domain="", username="bot@acme.example", private_key=private_key
    )
    crm.read("contact", [ID])
    [login] = server.org.logins()
    assert fits(login, "JWT Bearer Token Flow")
    assert login.form.keys() == sample("JWT Bearer Token Flow")["form"].keys()
    assert login.form["grant_type"] == sample("JWT Bearer Token Flow")["form"]["grant_type"]
    told = jwt.decode(login.form["assertion"], options={"verify_signature": False})
    assert (told["iss"], told["sub"]) == (KEY, "bot@acme.example")
    assert told["aud"] == "https://login.salesforce.com"
    assert crm.notes == ()


def test_a_password_through_oauth_works_and_is_warned_of(server: Server) -> None:
    crm = opened(server, username="bot@acme.example", password="p<w", security_token="T0ken")
    crm.read("contact", [ID])
    [login] = server.org.logins()
    asked = sample("OAuth Username Password")
    assert fits(login, asked["name"]) and login.form.keys() == asked["form"].keys()
    assert login.form["password"] == "p<wT0ken"
    assert "on its way out" in crm.notes[0]


def test_a_soap_login_works_by_its_last_version_and_names_its_end(server: Server) -> None:
    crm = opened(
        server,
        consumer_key="",
        consumer_secret="",
        domain="",
        username="bot@acme.example",
        password="p<w",
        security_token="T0ken",
    )
    crm.read("contact", [ID])
    [login] = server.org.logins()
    assert login.path == "/services/Soap/u/64.0"
    assert b"<n1:password>p&lt;wT0ken</n1:password>" in login.body
    assert "Summer '27" in crm.notes[0]
    assert "Summer '27" in crm.schema().notes[0]


def test_a_token_that_we_hold_is_used_and_never_renewed(server: Server) -> None:
    address = f"https://{HOST}"
    crm = opened(
        server, consumer_key="", consumer_secret="", access_token="held", instance_url=address
    )
    server.org.tokens.add("held")
    crm.read("contact", [ID])
    assert not server.org.logins() and "cannot be renewed" in crm.notes[0]
    server.org.tokens.clear()
    with pytest.raises(CrmUnavailable) as raised:
        crm.read("contact", [ID])
    assert raised.value.code == "unauthorized"
    assert len(server.org.calls) == 2


def test_real_host_names_are_called_where_no_address_is_set() -> None:
    crm = Salesforce(
        domain="https://acme--uat.sandbox.my.salesforce.com/",
        consumer_key=KEY,
        consumer_secret=SECRET,
    )
    instance = "https://acme--uat.sandbox.my.salesforce.com"
    with responses.RequestsMock() as mock:
        told = {"access_token": "00D!x", "instance_url": instance}
        mock.post(f"{instance}/services/oauth2/token", json=told)
        mock.get(
            f"{instance}/services/data/v66.0/queryAll/",
            json={"done": True, "records": []},
            match=[responses.matchers.header_matcher({"Authorization": "Bearer 00D!x"})],
        )
        assert crm.read("contact", [ID]) == []


def test_a_redirect_to_another_host_does_not_carry_the_token() -> None:
    crm = Salesforce(domain="acme.my", consumer_key=KEY, consumer_secret=SECRET)
    with responses.RequestsMock() as mock:
        told = {"access_token": "00D!x", "instance_url": f"https://{HOST}"}
        mock.post(f"https://{HOST}/services/oauth2/token", json=told)
        away = {"Location": "https://evil.example/"}
        mock.get(f"https://{HOST}/services/data/v66.0/queryAll/", status=302, headers=away)
        with pytest.raises(CrmUnavailable):
            crm.read("contact", [ID])
        assert [str(call.request.url).split("/")[2] for call in mock.calls] == [HOST, HOST]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "give consumer_key and consumer_secret"),
        ({"consumer_key": "k", "consumer_secret": "s"}, "need your My Domain"),
        ({"consumer_key": "k", "consumer_secret": "s", "domain": "test"}, "need your My Domain"),
        ({"consumer_key": "k", "consumer_secret": "s", "domain": "acme.my/x@evil"}, "My Domain"),
        ({"access_token": "t"}, "needs instance_url"),
        ({"access_token": "t", "instance_url": "acme"}, "instance_url is an address"),
        ({"access_token": "t", "instance_url": "https://a.b:99999"}, "instance_url is an address"),
        ({"access_token": "t", "base_url": "https://x@evil.example"}, "base_url is an address"),
        ({"access_token": "t", "base_url": "https://a.b", "version": "v66.0"}, "leading v"),
        ({"access_token": "t", "base_url": "https://a.b", "reserve": -1}, "reserve"),
        ({"access_token": "t", "base_url": "https://a.b", "task_field": "Id"}, "CallObject"),
        ({"access_token": "t", "base_url": "https://a.b", "organization_id": "x"}, "00D"),
    ],
)
def test_settings_that_cannot_work_say_what_to_give(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Salesforce(**settings)


def test_what_is_secret_is_asked_for_as_a_secret_and_stands_in_no_text(server: Server) -> None:
    secret = {name for name in adapters.schema(Salesforce) if adapters.is_secret(name)}
    assert secret == {
        *("consumer_key", "consumer_secret", "private_key", "password", "security_token"),
        *("access_token", "path_secrets"),
    }
    crm = opened(server)
    crm.read("contact", [ID])
    shown = repr(vars(crm)) + repr(vars(crm._line)) + repr(crm._line._entry)
    assert SECRET not in shown and "token-1" not in shown


def test_each_call_has_the_shape_of_salesforces_own_samples(server: Server) -> None:
    place = SalesforcePlace(server, Wanted(fields={"contact": ("LastName",)}))
    place.crm.write([activity(), fields(always={"stage": "x"})])
    place.crm.fetch([Subject(crm_id=ID)])
    place.crm.read("contact", [ID])
    place.crm.schema()
    place.crm.bulk_write([replace(activity(), record=place.people["con_1"])], wait=lambda _: None)
    other = opened(server, task_field="CallObject")
    other.known = place.people
    other.write([activity("send:snd_9")])
    names = [_sample_of(call) for call in server.org.sent()]
    assert set(names) == {
        *("SObject Collections Update", "SObject Collections Create", "Query", "QueryAll"),
        *("SObject Describe", "Create job", "Upload Job Data", "Close or Abort a Job"),
        *("Get Job Info", "Get Job Successful Record Results", "Get Job Failed Record Results"),
    }


def _sample_of(call: Call) -> str:
    """The sample whose method, path and keys of the body a call has."""
    if call.path.endswith("/composite/sobjects/Task/SMS_Id__c"):
        # The samples hold the update alone; an upsert names the field of its id behind the object.
        call = Call(call.method, call.path.removesuffix("/SMS_Id__c"), {}, {}, call.body)
    if call.method == "PATCH" and call.path.endswith("/composite/sobjects"):
        # The samples name an object where the update takes none, as the documentation has it.
        call = Call(call.method, f"{call.path}/Contact", {}, {}, call.body)
    for each in SAMPLES:
        if each["group"] != "auth" and fits(call, each["name"]):
            if "Collections" in each["name"]:
                keys = set(re.findall(r'"(\w+)":', each["body"]))
                assert set(json.loads(call.body)) == keys
            if each["name"] in ("Create job", "Close or Abort a Job"):
                assert set(json.loads(each["body"])) <= set(json.loads(call.body))
            return str(each["name"])
    raise AssertionError(f"{call.method} {call.path} is none of Salesforce's samples")


def test_the_client_is_loaded_only_when_salesforce_is_called() -> None:
    code = (
        "import sys\n"
        "from connector.crms.salesforce.adapter import Salesforce\n"
        "Salesforce(domain='acme.my', consumer_key='k', consumer_secret='s')\n"
        "heavy = {'simple_salesforce', 'zeep', 'requests', 'phonenumbers'}\n"
        "assert not heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)

"""Logging in to Salesforce: which of the five ways the settings choose, and how each is gone.

https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_flows.htm
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from connector.crms.salesforce.errors import refused_login
from connector.errors import CrmUnavailable

SOAP_VERSION: Final = "64.0"  #: the last that has login(); it went with 65
COMMON: Final = ("login", "test")  #: hosts that client credentials are refused at
SUFFIX: Final = ".salesforce.com"

OAUTH_NOTE: Final = (
    "the OAuth username-password flow is on its way out and is off in new orgs: "
    "use consumer_key and consumer_secret (client credentials), or username and private_key (JWT)"
)
SOAP_NOTE: Final = (
    "SOAP logins (username, password, security_token) end with Summer '27 and are off in orgs "
    "made since Winter '26: use consumer_key and consumer_secret (client credentials)"
)
FIXED_NOTE: Final = (
    "access_token cannot be renewed: when it ends, nothing is read or written until a new one is "
    "configured; use consumer_key and consumer_secret (client credentials)"
)
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?", re.ASCII)
_DOMAIN: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}(\.[a-z0-9-]{1,63}){0,4}")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a login gave: the token, and the host that it is for."""

    token: str = field(repr=False)
    host: str  #: with its port, where that is not 443


@dataclass(frozen=True, slots=True)
class Login:
    """One way to log in, with what it takes. Secrets stand in no representation."""

    domain: str
    consumer_key: str = field(default="", repr=False)
    consumer_secret: str = field(default="", repr=False)
    username: str = ""
    private_key: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    security_token: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    instance: str = ""  #: the host that ``access_token`` is for

    @property
    def flow(self) -> str:
        """``token``, ``jwt``, ``password``, ``credentials`` or ``soap``; "" where none fits."""
        if self.access_token:
            return "token"
        if self.consumer_key and self.username and self.private_key:
            return "jwt"
        if self.consumer_key and self.consumer_secret:
            return "password" if self.username and self.password else "credentials"
        return "soap" if self.username and self.password else ""

    @property
    def host(self) -> str:
        """Where to log in."""
        return f"{self.domain}{SUFFIX}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What the operator should know of the way that was chosen."""
        notes = {"password": OAUTH_NOTE, "soap": SOAP_NOTE, "token": FIXED_NOTE}
        return (notes[self.flow],) if self.flow in notes else ()

    @property
    def can_renew(self) -> bool:
        """Whether a token that has ended can be had anew."""
        return self.flow != "token"


def domain_of(text: str) -> str:
    """A domain as the client wants it: without scheme, path and ``.salesforce.com``.

    Raises ``ValueError`` for what is no domain of Salesforce's.
    """
    host = text.strip().lower().removeprefix("https://").rstrip("/").removesuffix(SUFFIX)
    host = host.removesuffix(".lightning.force.com")
    if not _DOMAIN.fullmatch(host):
        raise ValueError("domain is your My Domain without .salesforce.com, such as acme.my")
    return host


def origin_of(url: str, name: str) -> str:
    """``https://host[:port]`` of an address in the settings. Raises ``ValueError``."""
    parts = urlsplit(url.strip())
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
        raise ValueError(f"{name} is an address such as https://acme.my.salesforce.com")
    if port == -1 or parts.query or parts.fragment:
        raise ValueError(f"{name} is an address without a query, such as https://acme.example")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def check(login: Login, *, has_base_url: bool) -> Login:
    """The login as it is. Raises ``ValueError`` where something is missing for any of the ways."""
    if not login.flow:
        raise ValueError(
            "give consumer_key and consumer_secret (client credentials, the simplest), or "
            "consumer_key, username and private_key (JWT)"
        )
    if login.flow == "credentials" and login.domain in COMMON and not has_base_url:
        raise ValueError(
            "domain is missing: client credentials need your My Domain, such as acme.my, "
            "since login and test refuse them"
        )
    if login.flow == "token" and not login.instance:
        raise ValueError("access_token needs instance_url, such as https://acme.my.salesforce.com")
    return login


def enter(login: Login, session: Any) -> Entry:
    """Log in through a session. Raises ``CrmUnavailable`` where it is refused.

    Transport errors are raised as they are, for the caller to name.
    """
    if login.flow == "token":
        return Entry(login.access_token, login.instance)
    from simple_salesforce.exceptions import SalesforceAuthenticationFailed
    from simple_salesforce.login import SalesforceLogin

    try:
        token, host = SalesforceLogin(session=session, domain=login.domain, **_asked(login))
    except SalesforceAuthenticationFailed as error:
        raise refused_login(error) from None
    except UserWarning:
        raise refused_login(_NotApproved) from None
    except (AttributeError, TypeError, KeyError) as error:
        says = f"the answer to the login cannot be read ({type(error).__name__})"
        raise CrmUnavailable(says, code="malformed", remedy="check domain or base_url") from None
    if not isinstance(token, str) or not token or not _HOST.fullmatch(host.rstrip("/")):
        raise CrmUnavailable("the answer to the login holds no token", code="malformed")
    return Entry(token, host.rstrip("/"))


class _NotApproved:
    """The client warns, and would have the user approve the app in a browser."""

    code = "invalid_app_access"
    auth_message = "the user has not approved this app"


def _asked(login: Login) -> dict[str, Any]:
    """What the client's login takes for each way; the library chooses by what is given."""
    if login.flow == "jwt":
        return {
            "username": login.username,
            "consumer_key": login.consumer_key,
            "privatekey": login.private_key,
        }
    if login.flow == "soap":
        return {
            "username": login.username,
            "password": login.password,
            "security_token": html.escape(login.security_token),
            "sf_version": SOAP_VERSION,
        }
    app = {"consumer_key": login.consumer_key, "consumer_secret": login.consumer_secret}
    if login.flow == "password":
        token = login.security_token  # Salesforce wants it behind the password
        return {**app, "username": login.username, "password": login.password + token}
    return app

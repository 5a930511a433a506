"""Calls to one Salesforce org: one client per thread, one token for all, never to another host.

The client renews a token by itself without end, and its token travels with any address that it
is given (docs/decisions, 11). So it is handed a token and never logs in; we renew that ourselves,
once per call and a few times a minute, and the session refuses every host but the org's.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

import orjson

from connector.crms.salesforce.limits import Allowance
from connector.crms.salesforce.login import Entry, Login, enter
from connector.errors import CrmUnavailable
from connector.model import Json

if TYPE_CHECKING:
    import requests

    from connector.crms.salesforce.org import OrgSession

LOGINS: Final = 3  #: in a minute, by all threads together
MINUTE: Final = timedelta(minutes=1)
MOST_PAGES: Final = 200  #: of one query's answer

T = TypeVar("T")


class Line:
    """The calls that the adapter makes, for any number of threads.

    ``calls`` counts them by kind; ``login`` is not part of Salesforce's allocation.
    """

    def __init__(
        self,
        login: Login,
        *,
        version: str,
        base_url: str,
        clock: Callable[[], datetime],
        reserve: int | None,
    ) -> None:
        self.calls: Counter[str] = Counter()
        self.allowance = Allowance(clock, reserve)
        self._login, self._version, self._base_url = login, version, base_url
        self._clock = clock
        self._lock, self._counting = threading.Lock(), threading.Lock()
        self._entry: Entry | None = None
        self._logins: deque[datetime] = deque(maxlen=LOGINS)
        self._here = threading.local()

    def rest(
        self,
        kind: str,
        path: str,
        *,
        method: str = "GET",
        body: Json = None,
        params: Mapping[str, str] | None = None,
    ) -> Json:
        """One call below ``/services/data/v…/``; None for an answer without a body."""
        sent = {} if body is None else {"data": orjson.dumps(body)}
        return self.call(
            kind, lambda sf: sf.restful(path, params=dict(params or {}), method=method, **sent)
        )

    def query(self, kind: str, soql: str, *, deleted: bool = False) -> list[dict[str, Json]]:
        """All rows of a query; ``deleted`` ones too where asked."""
        page = self.call(kind, lambda sf: sf.query(soql, include_deleted=deleted))
        rows = _rows(page)
        for _ in range(MOST_PAGES):
            if page.get("done") is not False:
                return rows
            onward = str(page.get("nextRecordsUrl") or "")
            if not onward.startswith("/services/data/"):
                break
            page = self._more(kind, onward)
            rows += _rows(page)
        raise CrmUnavailable("Salesforce's answer to a query has no end", code="malformed")

    def _more(self, kind: str, path: str) -> Json:
        return self.call(kind, lambda sf: sf.query_more(path, identifier_is_url=True))

    def call(self, kind: str, act: Callable[[Any], T]) -> T:
        """One call by the thread's client, repeated once with a new token where that had ended.

        Raises ``CrmUnavailable``, whatever the client raised.
        """
        entry = self._entered(None)
        for is_last in (False, True):
            self._count(kind)
            try:
                return act(self._client(entry))
            except CrmUnavailable:
                raise
            except Exception as error:
                failed = _failed(error)
                if failed.code != "unauthorized" or is_last or not self._login.can_renew:
                    raise failed from None
            entry = self._entered(entry)
        raise AssertionError  # the second round returns or raises

    def _count(self, kind: str) -> None:
        with self._counting:
            self.calls[kind] += 1

    def told_at(self) -> datetime | None:
        """What Salesforce's clock showed at this thread's last answer, where it says."""
        found: datetime | None = getattr(self._here, "told_at", None)
        return found

    def _entered(self, ended: Entry | None) -> Entry:
        """The entry that is good now; where it is the one that has ended, a new one."""
        with self._lock:
            if self._entry is not None and self._entry is not ended:
                return self._entry
            self._entry = None
            self._guard()
            self._count("login")
            session = self._session()
            session.homes = {self._login.host}
            try:
                self._entry = enter(self._login, session)
            except (OSError, ValueError) as error:  # requests' own are OSErrors
                raise _failed(error) from None
            return self._entry

    def _guard(self) -> None:
        """Let at most a few logins a minute pass: a login that never helps is not repeated."""
        now = self._clock()
        if len(self._logins) == LOGINS and now - self._logins[0] < MINUTE:
            raise CrmUnavailable(
                f"{LOGINS} logins to Salesforce in a minute did not help",
                code="unauthorized",
                retry_after=(self._logins[0] + MINUTE - now).total_seconds(),
                remedy="see in Setup, Login History, why the session is refused: an IP range, "
                "a session policy, or the user's permission API Enabled",
            )
        self._logins.append(now)

    def _client(self, entry: Entry) -> Any:
        """This thread's client for a entry."""
        if getattr(self._here, "entry", None) is not entry:
            from simple_salesforce.api import Salesforce

            session = self._session()
            self._here.client = Salesforce(
                session_id=entry.token,
                instance_url=f"https://{entry.host}",
                version=self._version,
                session=session,
                object_pairs_hook=dict,
            )
            self._here.client.headers.pop("X-PrettyPrint", None)  # a third of each answer's bytes
            session.homes = {self._here.client.sf_instance}
            self._here.entry = entry
        return self._here.client

    def _session(self) -> OrgSession:
        """This thread's session, with its connections kept alive."""
        found: OrgSession | None = getattr(self._here, "session", None)
        if found is None:
            from connector.crms.salesforce.org import OrgSession

            found = self._here.session = OrgSession(self._base_url, self._note)
        return found

    def _note(self, response: requests.Response) -> None:
        from connector.crms.salesforce.org import date

        self.allowance.note(response.headers.get("Sforce-Limit-Info"))
        self._here.told_at = date(response.headers.get("Date"))


def _failed(error: Exception) -> CrmUnavailable:
    from connector.crms.salesforce.org import failure  # here, so that the web runs without requests

    return failure(error)


def _rows(page: Json) -> list[dict[str, Json]]:
    rows = page.get("records") if isinstance(page, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise CrmUnavailable("Salesforce's answer to a query cannot be read", code="malformed")
    return rows

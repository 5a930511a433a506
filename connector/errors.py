"""The closed list of things that can go wrong, each saying what to do next.

The first line of a class's docstring is its default message, so that every message is
written once and documented where it is defined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class ConnectorError(Exception):
    """Something went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").split("\n", 1)[0])


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in a file the operator wrote: where it is, what is wrong, what would be right."""

    file: str
    line: int  #: 1-based; 0 where no line can be named (a missing file)
    field: str  #: dotted path, e.g. ``steps[0].template``; "" for the whole file
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        field = f" {self.field}:" if self.field else ""
        remedy = f" — {self.remedy}" if self.remedy else ""
        return f"{place}:{field} {self.message}{remedy}"


class BadConfig(ConnectorError):
    """The configuration has faults; nothing starts until they are mended."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in faults))


class Unverified(ConnectorError):
    """The request is not signed by a key this source knows; nothing of it is kept."""


class Unreadable(ConnectorError):
    """The request cannot be read as the mapping file describes it."""


class Overloaded(ConnectorError):
    """The backlog of this source is at its bound; ask again later."""

    def __init__(self, message: str | None = None, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after  #: seconds


class StorageRefused(ConnectorError):
    """The disk or the ledger refused the write; nothing was kept, so send it again later."""


class LedgerBusy(ConnectorError):
    """Others are writing to the ledger just now; nothing was kept, so ask again in a moment."""


class LedgerTooNew(ConnectorError):
    """The ledger was written by a newer release; install that release or restore a backup."""


class AlreadyRunning(ConnectorError):
    """Another process already runs on this folder."""


class NoticeFailed(ConnectorError):
    """A webhook or a mail server did not take a notice; nothing is lost, it may be sent again."""


class ExpressionFailed(ConnectorError):
    """An expression could not be evaluated.

    ``code`` is ``fact_missing`` (a path had no value) or ``expression_failed`` (anything else,
    also when a bound was hit).
    """

    def __init__(self, message: str, code: str = "expression_failed") -> None:
        super().__init__(message)
        self.code = code


class SendFailed(ConnectorError):
    """A provider did not take a text.

    ``code`` is the provider's own error code (kept raw); ``reason`` is our stable snake code:
    ``opted_out``, ``invalid_number``, ``not_mobile``, ``blocked``, ``content``, ``configuration``,
    ``rate_limited``, ``unavailable``, ``timeout``, ``unknown``.
    """

    def __init__(self, message: str, *, reason: str = "unknown", code: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.code = code


class Refused(SendFailed):
    """The provider refused the text for good; it is never tried again."""


class Deferred(SendFailed):
    """The provider certainly did not take the text; it may be tried again.

    ``retry_after`` in seconds, where the provider names it.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: str = "unavailable",
        code: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, reason=reason, code=code)
        self.retry_after = retry_after


class Uncertain(SendFailed):
    """The provider may have taken the text; it is looked up, never blindly repeated."""


class CrmUnavailable(ConnectorError):
    """The CRM could not be asked, or did not answer; what it is owed waits and is asked again.

    ``code`` is ``unreachable``, ``timeout``, ``unavailable``, ``rate_limited``, ``daily_limit``,
    ``unauthorized``, ``forbidden`` or ``malformed``; ``retry_after`` is in seconds, where the CRM
    names it. ``remedy`` is what the operator can do about it; "" where waiting helps. Of the
    changes that were to be written, ``written`` are verdicts that had come before, and ``in_doubt``
    the ids of those that may have been made all the same.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "unavailable",
        retry_after: float | None = None,
        remedy: str = "",
        written: Sequence[object] = (),
        in_doubt: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after = retry_after
        self.remedy = remedy
        self.written = tuple(written)
        self.in_doubt = in_doubt

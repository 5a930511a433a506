"""What else is told of people: files, calls, boxes in the CRM, and a yes that is asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from connector.rules.consentfile import Entry
from connector.steps import consentimport, numbers, optin, optouts
from connector.steps.consent import opt_out
from tests.governance.world import World, number_of

Line = tuple[int, str, bool, int]
"""Person, purpose (of an end: or all), granted or ended, minutes ago."""
BOX: Final = "no_texts"


class Told(World):
    """A world whose operators have files, a telephone, a mailbox and a CRM."""

    files: list[tuple[consentimport.File, list[consentimport.Line]]]

    def imports_file(self, told: list[Line]) -> None:
        """An operator imports consents of another time."""
        self.files = getattr(self, "files", [])
        name = f"file {len(self.files)}"
        file = consentimport.File(name, f"{len(self.files):064x}", "operator:x")
        lines: list[consentimport.Line] = []
        for line, (person, purpose, granted, minutes) in enumerate(told, start=1):
            phone, at = number_of(person), self.clock.at - timedelta(minutes=minutes)
            act = "grant" if granted else "stop" if purpose == "all" else "revoke"
            self.oracle.number(phone).add(at, act, purpose, now=self.clock.at)
            said = Entry(phone, purpose, granted, "import", f"{name}, line {line}", occurred_at=at)
            lines.append((line, [said]))
        self.files.append((file, lines))
        self.imports_file_again(-1)

    def imports_file_again(self, which: int) -> None:
        """The same file once more, which says nothing new."""
        if files := getattr(self, "files", []):
            file, lines = files[which % len(files)]
            list(consentimport.run(self.store, self.rt, file, lines, self.clock()))
            self.work()

    def is_asked(self, person: int, purposes: list[str]) -> None:
        """A form proposed a consent: the number is asked for its yes."""
        phone, contact = number_of(person), self.contact(person)
        if not contact:
            return
        with self.store.write() as tx:
            mode, now = self.rt.earnest.value, self.clock()
            if optin.propose(tx, self.rt, phone, purposes, contact, mode, now).asked:
                self.oracle.number(phone).wanted = frozenset(purposes)
                self.oracle.number(phone).open = False  # until it has left
        self.work()

    def calls_off(self, person: int, method: str) -> None:
        """Somebody asks by a call or an e-mail to be left alone."""
        phone = number_of(person)
        now = self.clock.at
        self.oracle.number(phone).add(now, "stop", "all", method, now=now)
        with self.operator() as (tx, at):
            opt_out(tx, self.rt, phone, method, "leave me alone", "operator:x", "asked", at)

    def ticks(self, person: int, *, ticked: bool) -> None:
        """The opt-out box of a person's record is ticked or un-ticked in the CRM."""
        if not (contact := self.contact(person)):
            return
        for phone in self._numbers_of(contact):
            what = ("stop", "all", "crm") if ticked else ("untick", "", "")
            self.oracle.number(phone).add(self.clock.at, *what, now=self.clock.at)
        with self.operator() as (tx, now):
            was, told = {BOX: not ticked}, {BOX: ticked}
            optouts.heard(tx, self.rt, self.rt.crm, contact, was, told, now)

    def _numbers_of(self, contact: str) -> list[str]:
        sql = """SELECT value FROM identities
            WHERE kind = 'phone' AND contact_id = :contact AND detached_at IS NULL"""
        return [str(row["value"]) for row in self.rows(sql, contact=contact)]

    def keeps_back(self, person: int, scope: str) -> None:
        """A hand keeps texts from a number (all or marketing), or no longer does ("")."""
        phone = number_of(person)
        self.oracle.number(phone).kept_back = scope
        with self.operator() as (tx, now):
            if scope:
                numbers.suppress(tx, self.rt, phone, "court", scope, who="operator:x", now=now)
            else:
                numbers.release(tx, self.rt, phone, "mistaken", who="operator:x", now=now)

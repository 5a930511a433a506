"""What there is to say of an owed change, looked up as it goes out."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from connector.ledger import contacts, crm_facts, enrolments, outcomes, sends, summaries
from connector.ledger.claims import Claim
from connector.ledger.store import Tx
from connector.model import Json
from connector.records import Owed
from connector.rules import activities, crm
from connector.rules import writeback as rules
from connector.steps import crmconsent, crmown, optouts
from connector.steps.setup import Setup

log = logging.getLogger("connector")


@dataclass(frozen=True, slots=True)
class Told:
    """A change in full, and whose it is now."""

    contact_id: str
    change: Mapping[str, Json]


def told(tx: Tx, rt: Setup, claim: Claim) -> Told | None:
    """The change as the CRM is to make it, from what the ledger knows now; None for nothing."""
    about, _, thing = claim.key.partition(":")
    if about == "fields":
        return _fields(tx, rt, claim)
    if about == "callback":  # a workflow is told, and no record is written
        return Told("", claim.change)
    owed, contact_id = _activity(tx, claim, about, thing)
    return Told(contact_id, owed[0].change) if owed else None


def _activity(tx: Tx, claim: Claim, about: str, thing: str) -> tuple[list[Owed], str]:
    if about == "send" and (send := sends.get(tx, thing)):
        may_stand_there = claim.known or claim.in_doubt
        return activities.for_send(send, may_stand_there), send["contact_id"]
    if about == "reply" and (reply := summaries.reply(tx, thing)):
        return activities.for_reply(reply), reply["contact_id"] or claim.contact_id
    if about == "outcome" and (outcome := outcomes.find(tx, thing)):
        walked = outcome["enrolment_id"] and enrolments.get(tx, outcome["enrolment_id"])
        play = walked["play"] if walked else ""
        return activities.for_outcome(outcome, play), outcome["contact_id"]
    if about == "call":
        return [Owed("webhook", claim.key, claim.change)], claim.contact_id
    if about == "note":
        return [Owed("activity", claim.key, claim.change)], claim.contact_id
    if about == "task":
        return _task(tx, claim, thing)
    return [], claim.contact_id


def _task(tx: Tx, claim: Claim, thing: str) -> tuple[list[Owed], str]:
    """A play's task says itself what it is; that of a reply is what the reply says."""
    about, _, reply_id = thing.partition(":")
    if about == "reply" and not claim.change:
        reply = summaries.reply(tx, reply_id)
        if reply is None:
            return [], claim.contact_id
        return activities.for_hot_reply(reply), reply["contact_id"] or claim.contact_id
    found = contacts.row(tx, claim.contact_id)
    contact_id = str(found["id"]) if found else claim.contact_id
    return [Owed("task", claim.key, claim.change)], contact_id


def _fields(tx: Tx, rt: Setup, claim: Claim) -> Told | None:
    known = summaries.of(tx, claim.contact_id)
    if known is None:
        return None
    fields = rt.crm_fields.get(claim.crm) or rules.standard_fields()
    facts = {**crmown.facts(known), **crmconsent.facts(tx, rt, known, fields)}
    owed, faults = rules.summary(known.contact.id, facts, fields)
    for fault in faults:
        log.warning("act=writeback crm=%s result=field_left_alone why=%s", claim.crm, fault)
    change = {group: dict(values) for group, values in owed.change.items()}
    for group, values in claim.change.items():
        change.setdefault(group, {}).update(values)
    there = crm_facts.of(tx, claim.crm, known.contact.id)
    _stage(rt, claim.crm, known.contact.stage, there, change)
    _opt_out(rt, claim.crm, there if known.contact.phone else {}, change)
    return Told(known.contact.id, change)


def _stage(
    rt: Setup,
    name: str,
    ours: str,
    facts: Mapping[str, Json],
    change: dict[str, dict[str, Json]],
) -> None:
    """The CRM's own stage, where its mapping file lets us write it."""
    mapping = rt.crm_mappings.get(name)
    moved = crm.stage_change(mapping, rt.stages.order, ours, facts) if mapping else None
    if mapping is not None and moved is not None:
        rule, theirs = moved
        change.setdefault(rule.value, {})[mapping.wanted.stage] = theirs


def _opt_out(
    rt: Setup, name: str, facts: Mapping[str, Json], change: dict[str, dict[str, Json]]
) -> None:
    """The box is not un-ticked where it stands un-ticked: somebody may have ticked it just now.

    Nor is it of a person without a number, who has said nothing here.
    """
    field = rt.opt_out_fields.get(name, "")
    unticks = bool(field) and change.get("always", {}).get(field) is False
    if unticks and not optouts.is_ticked(facts.get(field)):
        del change["always"][field]

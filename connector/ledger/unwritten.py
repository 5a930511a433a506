"""What a CRM was never told: people there, and of them the texts, replies and outcomes of ours."""

from __future__ import annotations

from connector.ledger.store import Row, Tx

#: People whom the CRM knows: those linked to a record of it, or, where it makes a record of
#: whoever it does not know, everybody.
PEOPLE = """SELECT c.id FROM contacts c WHERE c.merged_into IS NULL AND c.id > :after
    AND (:all = 1 OR EXISTS (SELECT 1 FROM identities i WHERE i.contact_id = c.id
        AND i.kind = 'crm_id' AND i.detached_at IS NULL AND i.value >= :low AND i.value < :high))
    ORDER BY c.id LIMIT :limit"""
OF = """SELECT t.* FROM {table} t WHERE t.contact_id = :contact {where} AND NOT EXISTS (
    SELECT 1 FROM writebacks w WHERE w.crm = :crm AND w.key = '{about}:' || t.id)
    ORDER BY t.id"""
SENDS = OF.format(table="sends", about="send", where="AND t.counts_at IS NOT NULL AND t.text <> ''")
REPLIES = OF.format(table="replies", about="reply", where="AND t.text <> ''")
#: What the CRM itself told of is no news to it; of an event that is no longer kept nobody can say.
OUTCOMES = OF.format(
    table="outcomes",
    about="outcome",
    where="""AND (t.event_id IS NULL OR t.enrolment_id IS NOT NULL OR EXISTS (
        SELECT 1 FROM events e WHERE e.id = t.event_id AND e.source <> :crm))""",
)


def people(tx: Tx, crm: str, after: str, limit: int, *, everybody: bool) -> list[str]:
    """Ids of contacts that the CRM knows, in their order, beginning behind one."""
    low, high = f"{crm}:", f"{crm};"  # ; comes right after :
    found = tx.all(PEOPLE, after=after, all=int(everybody), low=low, high=high, limit=limit)
    return [str(row["id"]) for row in found]


def sends(tx: Tx, crm: str, contact_id: str) -> list[Row]:
    """Texts to a contact that left, or may have left, and that the CRM was never owed."""
    return tx.all(SENDS, crm=crm, contact=contact_id)


def replies(tx: Tx, crm: str, contact_id: str) -> list[Row]:
    """Replies of a contact that the CRM was never owed."""
    return tx.all(REPLIES, crm=crm, contact=contact_id)


def outcomes(tx: Tx, crm: str, contact_id: str) -> list[Row]:
    """Outcomes of a contact that the CRM was never owed, and did not tell itself."""
    return tx.all(OUTCOMES, crm=crm, contact=contact_id)

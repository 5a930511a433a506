"""Short links and who fetched them."""

from __future__ import annotations

from datetime import datetime

from connector import clock
from connector.ledger.store import Row, Tx

ADD = """INSERT INTO links (code, url, send_id, contact_id, made_at)
    VALUES (:code, :url, :send, :contact, :at) ON CONFLICT DO NOTHING"""
CODE = "SELECT code FROM links WHERE send_id = :send AND url = :url"
GET = "SELECT code, url, send_id, contact_id FROM links WHERE code = :code"
CLICK = """INSERT INTO clicks (id, send_id, contact_id, link, verdict, why, method, agent, network,
        at, heard_at)
    VALUES (:id, :send, :contact, :link, :verdict, :why, :method, :agent, :network, :at, :heard)"""
OF_TEXT = """SELECT CAST(count(DISTINCT link) AS BIGINT) AS n FROM clicks
    WHERE send_id = :send AND at > :since AND at <= :at AND link <> :link"""
OF_NETWORK = """SELECT CAST(count(DISTINCT link) AS BIGINT) AS n FROM clicks
    WHERE network = :network AND network <> '' AND agent = :agent AND at > :since AND at <= :at
    AND link <> :link"""
CLICKED = """SELECT c.at FROM clicks c JOIN sends s ON s.id = c.send_id
    WHERE s.enrolment_id = :enrolment AND c.verdict = 'human' ORDER BY c.at LIMIT 1"""


def add(tx: Tx, code: str, url: str, send_id: str, contact_id: str, at: datetime) -> bool:
    """Keep a new link; False where the code is taken or the text has one to this address."""
    return bool(
        tx.run(ADD, code=code, url=url, send=send_id, contact=contact_id, at=clock.text(at))
    )


def code_of(tx: Tx, send_id: str, url: str) -> str:
    """The code of a text's link to an address, "" where it has none."""
    row = tx.one(CODE, send=send_id, url=url)
    return str(row["code"]) if row else ""


def get(tx: Tx, code: str) -> Row | None:
    """code, url, send_id and contact_id of one link."""
    return tx.one(GET, code=code)


def add_click(
    tx: Tx,
    link: Row,
    *,
    click_id: str,
    verdict: str,
    why: str,
    method: str,
    agent: str,
    network: str,
    at: datetime,
    now: datetime,
) -> None:
    """Keep one fetch of a link with what it was taken for."""
    tx.run(
        CLICK,
        id=click_id,
        send=link["send_id"],
        contact=link["contact_id"],
        link=link["code"],
        verdict=verdict,
        why=why,
        method=method,
        agent=agent,
        network=network,
        at=clock.text(at),
        heard=clock.text(now),
    )


def others_of_text(tx: Tx, link: Row, since: datetime, at: datetime) -> int:
    """How many other links of the same text were fetched after ``since``, up to ``at``."""
    since_, at_ = clock.text(since), clock.text(at)
    row = tx.one(OF_TEXT, send=link["send_id"], link=link["code"], since=since_, at=at_)
    return int(row["n"]) if row else 0


def others_of_network(
    tx: Tx, link: Row, network: str, agent: str, since: datetime, at: datetime
) -> int:
    """How many other links one program in one network fetched after ``since``, up to ``at``."""
    if not network:
        return 0
    row = tx.one(
        OF_NETWORK,
        network=network,
        agent=agent,
        link=link["code"],
        since=clock.text(since),
        at=clock.text(at),
    )
    return int(row["n"]) if row else 0


def clicked(tx: Tx, enrolment_id: str) -> bool:
    """Whether a person tapped a link in a text of this enrolment."""
    return tx.one(CLICKED, enrolment=enrolment_id) is not None

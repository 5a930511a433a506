"""The tracker as pages are given it: small, packed, kept by browsers, loadable from anywhere."""

from __future__ import annotations

import gzip
import hashlib
import re
from importlib.resources import files

import pytest
from flask.testing import FlaskClient

MOST_BYTES = 3_072
SMALL = files("connector.web.tracker").joinpath("t.min.js").read_bytes()


def test_it_is_under_three_kilobytes_on_the_wire(client: FlaskClient) -> None:
    answer = client.get("/t.js", headers={"Accept-Encoding": "gzip, br"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert int(answer.headers["Content-Length"]) == len(answer.data) < MOST_BYTES
    assert gzip.decompress(answer.data) == SMALL


@pytest.mark.parametrize("takes", ["", "identity", "br", "gzip;q=0"])
def test_who_takes_no_gzip_is_given_it_plain(client: FlaskClient, takes: str) -> None:
    answer = client.get("/t.js", headers={"Accept-Encoding": takes})
    assert answer.data == SMALL and "Content-Encoding" not in answer.headers


def test_browsers_keep_it_for_an_hour_and_any_page_may_load_it(client: FlaskClient) -> None:
    told = client.get("/t.js").headers
    assert told["Content-Type"] == "text/javascript; charset=utf-8"
    assert told["X-Content-Type-Options"] == "nosniff"
    assert told.getlist("Cache-Control") == ["public, max-age=3600, stale-while-revalidate=86400"]
    assert told["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert told["Access-Control-Allow-Origin"] == "*"
    assert told["Vary"] == "Accept-Encoding"
    assert "Set-Cookie" not in told


@pytest.mark.parametrize("takes", ["gzip", "identity"])
def test_a_browser_that_has_it_is_not_given_it_again(client: FlaskClient, takes: str) -> None:
    first = client.get("/t.js", headers={"Accept-Encoding": takes})
    asked = {"Accept-Encoding": takes, "If-None-Match": f'W/{first.headers["ETag"]}, "other"'}
    again = client.get("/t.js", headers=asked)
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert "max-age" in again.headers["Cache-Control"]
    assert client.get("/t.js", headers={"If-None-Match": '"other"'}).status_code == 200


def test_plain_and_packed_have_tags_of_their_own(client: FlaskClient) -> None:
    plain, packed = (
        client.get("/t.js", headers={"Accept-Encoding": each}) for each in ("identity", "gzip")
    )
    assert plain.headers["ETag"] != packed.headers["ETag"]


def test_head_tells_the_same_without_the_script(client: FlaskClient) -> None:
    asked = {"Accept-Encoding": "gzip"}
    head, got = client.head("/t.js", headers=asked), client.get("/t.js", headers=asked)
    assert head.data == b"" and head.status_code == 200
    assert dict(head.headers) == dict(got.headers)


def test_it_evaluates_nothing_and_writes_no_markup() -> None:
    forbidden = rb"\beval\b|new Function|innerHTML|document\.write|createElement|import\("
    assert not re.search(forbidden, SMALL)


def test_what_is_served_was_made_of_the_source_that_is_here() -> None:
    """``make tracker`` notes the source it was made of; ``make browser`` makes it again."""
    folder = files("connector.web.tracker")
    source = hashlib.sha256(folder.joinpath("t.js").read_bytes()).hexdigest()
    assert folder.joinpath("t.js.sha256").read_text().strip() == source, "run: make tracker"

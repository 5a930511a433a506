"""Texts: which template is taken, and that none is sent with a hole."""

from __future__ import annotations

import pytest

from connector.errors import ExpressionFailed
from connector.expressions import compile_template
from connector.rules.render import choose, foreign_links, reader, render, version

TEXTS = {
    ("welcome", language): compile_template(language) for language in ("en", "es", "pt", "pt-BR")
}


@pytest.mark.parametrize(
    ("language", "taken"),
    [("es", "es"), ("pt-BR", "pt-BR"), ("pt-PT", "pt"), ("de", "en"), ("", "en")],
)
def test_the_text_is_in_the_persons_language_or_the_nearest(language: str, taken: str) -> None:
    assert choose(TEXTS, "welcome", language, "en").source == taken


def test_the_fallback_may_name_a_country() -> None:
    assert choose(TEXTS, "welcome", "de", "es-MX").source == "es"


def test_a_text_that_nobody_wrote_is_no_text() -> None:
    with pytest.raises(ExpressionFailed, match=r"no text 'goodbye' in 'es' or 'en'"):
        choose(TEXTS, "goodbye", "es", "en")


def test_a_text_loses_only_the_newlines_at_its_end() -> None:
    template = compile_template("{{ brand }}:  two  blanks\n\nand a line\n\n")
    assert render(template, {"brand": "Shop"}) == "Shop:  two  blanks\n\nand a line"


@pytest.mark.parametrize("source", ["{{ brand }}", "{% if vip %}x{% endif %}"])
def test_a_text_with_a_hole_or_nothing_in_it_is_refused(source: str) -> None:
    with pytest.raises(ExpressionFailed) as caught:
        render(compile_template(source), {"brand": " ", "vip": False})
    assert caught.value.code == "fact_missing"


def test_links_are_foreign_unless_their_host_is_known() -> None:
    text = "https://shop.corner.example/a corner.example https://corner.example.evil.example x"
    assert foreign_links(text, ["Corner.example"]) == ["https://corner.example.evil.example"]
    assert foreign_links("notcorner.example", ["corner.example"]) == ["notcorner.example"]
    assert foreign_links("no link, ask help@elsewhere.example", []) == []


def test_a_version_is_short_and_follows_the_content() -> None:
    assert version("a") == "ca978112ca1b"
    assert version("a") != version("b")


@pytest.mark.parametrize(
    ("spoken", "own", "country", "tag"),
    [
        ("en", "en", "US", "en-US"),
        ("es", "es", "US", "es-US"),
        ("es", "es-MX", "US", "es-MX"),  # the person's own tag says more
        ("en", "es-MX", "US", "en-US"),  # the text fell back to another language
        ("pt-BR", "pt", "US", "pt-BR"),
        ("de", "", "DE", "de-DE"),
        ("de", "", "", "de"),
    ],
)
def test_figures_are_written_as_the_texts_language_is_where_the_person_lives(
    spoken: str, own: str, country: str, tag: str
) -> None:
    assert reader(spoken, own, country) == tag


def test_a_comment_on_the_first_line_leaves_no_empty_one() -> None:
    template = compile_template("{# valid_until: 2026-12-31 #}\nHi\n\nthere\n")
    assert render(template, {}) == "Hi\n\nthere"

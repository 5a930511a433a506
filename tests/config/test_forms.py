"""``[forms.<name>]`` in config.toml, and what ``connector check`` says of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from connector.config.loaded import load
from connector.errors import BadConfig
from connector.model import Trust
from tests.running import folder

FORMS = 'mapping = "form"\ntrust = "form"'
FORM = """
source = "site_forms"
origins = ["https://www.corner.example"]
redirect = "https://www.corner.example/thanks"
page = "https://www.corner.example/join"
required = ["phone"]
trap = "website"
opened = "opened"
min_fill = "4s"
fields = { phone = "tel", email = "email", first_name = "name" }
"""
CONSENT = 'field = "sms_ok"\npurposes = ["marketing"]\nwording = "Text me offers."\nversion = "v3"'


def told(tmp_path: Path, form: str = FORM, consent: str = CONSENT, **more: str) -> str:
    """The faults of a folder with one form, as they are shown."""
    tables = {"sources.site_forms": FORMS, "forms.newsletter": form, **more}
    if consent:
        tables["forms.newsletter.consent"] = consent
    path = folder(tmp_path / "shop", 8080, **tables)
    try:
        load(path)
    except BadConfig as error:
        return "\n".join(f"{fault.field} {fault.message}: {fault.remedy}" for fault in error.faults)
    return ""


def test_a_form_is_read(tmp_path: Path) -> None:
    assert told(tmp_path) == ""
    form = load(tmp_path / "shop").settings.forms["newsletter"]
    assert (form.source, form.origins) == ("site_forms", ("https://www.corner.example",))
    assert form.fields == {"phone": "tel", "email": "email", "first_name": "name"}
    assert form.consent is not None
    assert (form.consent.wording, form.consent.version) == ("Text me offers.", "v3")
    assert (form.min_fill.total_seconds(), form.per_address, form.per_form) == (4, 5, 200)


@pytest.mark.parametrize(
    ("was", "is_now", "says"),
    [
        ('source = "site_forms"', 'source = "site"', "no source of forms"),
        ('source = "site_forms"', "", "forms.newsletter.source is missing"),
        ('"https://www.corner.example"]', '"https://www.corner.example/"]', "no origin"),
        ('"https://www.corner.example"]', '"http://www.corner.example"]', "not https"),
        ('"https://www.corner.example"]', '"*"]', "no origin"),
        ('["https://www.corner.example"]', "[]", "origins is empty"),
        ('"https://www.corner.example/thanks"', '"javascript:alert(1)"', "no https address"),
        ('"https://www.corner.example/thanks"', '"//evil.example"', "no https address"),
        ('required = ["phone"]', 'required = ["tel"]', "holds 'tel'"),
        ('trap = "website"', 'trap = "email"', "also one of the fields"),
        ('phone = "tel", ', "", "has no number to go with"),
        ('first_name = "name"', '"First Name" = "name"', "no name for a field"),
        ('trap = "website"', 'honeypot = "website"', "is not known here"),
    ],
)
def test_a_fault_is_named_with_what_to_do(tmp_path: Path, was: str, is_now: str, says: str) -> None:
    assert was in FORM
    assert says in told(tmp_path, FORM.replace(was, is_now))


@pytest.mark.parametrize(
    ("was", "is_now", "says"),
    [
        ('purposes = ["marketing"]', 'purposes = ["raffle"]', "which its mapping never gives"),
        ('wording = "Text me offers."', 'wording = " "', "wording is empty"),
        ('wording = "Text me offers."', "", "wording is missing"),
        ('field = "sms_ok"', "", "field is missing"),
    ],
)
def test_a_consent_needs_its_box_its_words_and_a_purpose_that_is_mapped(
    tmp_path: Path, was: str, is_now: str, says: str
) -> None:
    assert says in told(tmp_path, consent=CONSENT.replace(was, is_now))


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ('mapping = "form"\ntrust = "trusted"', 'write trust = "form"'),
        ('mapping = "form"\ntrust = "browser"', 'write trust = "form"'),
        ('mapping = "form"\ntrust = "form"\nsecrets = ["file:site-key"]', "of no use here"),
        ('mapping = "segment"\ntrust = "form"\nkeys = ["file:other"]', 'trust = "browser"'),
        ('mapping = "posthog_capture"\ntrust = "form"\nkeys = ["file:other"]', "is no form"),
        ('mapping = "posthog_capture"\ntrust = "browser"', "has no project key"),
    ],
)
def test_a_form_is_believed_as_a_form_and_nothing_else_is(
    tmp_path: Path, source: str, says: str
) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "other").write_text("another-key")
    assert says in told(tmp_path, sources__odd=source)


def test_a_form_tool_that_signs_its_webhooks_may_be_believed_as_a_form(tmp_path: Path) -> None:
    typeform = 'mapping = "typeform"\ntrust = "form"\nsecrets = ["file:shop-secret"]'
    assert told(tmp_path, sources__survey=typeform) == ""
    assert load(tmp_path / "shop").settings.sources["survey"].trust is Trust.form


def test_a_form_that_proposes_consents_needs_the_text_that_asks(tmp_path: Path) -> None:
    told(tmp_path)
    for path in (tmp_path / "shop" / "templates").glob("double_opt_in.*"):
        path.unlink()
    for path in (tmp_path / "shop" / "mappings" / "sources").iterdir():
        if path.name not in ("form.toml", "segment.toml", "shopify.toml"):
            path.unlink()
    with pytest.raises(BadConfig) as caught:
        load(tmp_path / "shop")
    assert any("no text that asks" in fault.message for fault in caught.value.faults)
    shutil.rmtree(tmp_path / "shop")

"""A whole folder: the one that ships is without fault, and faults of all files come together."""

from __future__ import annotations

import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from connector import starters, text
from connector.config import loaded
from connector.config.loaded import ANSWERS, Loaded
from connector.errors import BadConfig, Fault
from connector.expressions import compile_template
from connector.model import Purpose
from connector.runtime import contents, version_of
from connector.steps import obey

ENVIRON = {
    **{"SITE_KEY": "site", "BACKEND_KEY": "backend", "SHOPIFY_SECRET": "shop"},
    **{"STRIPE_SECRET": "whsec_x", "TYPEFORM_SECRET": "form"},
    **{"MAIL_SECRET": "mail", "API_KEY": "an-api-key-of-24-letters"},
}
CONTEXT = {
    "brand": "Corner Shop",
    "help_contact": "help@corner.example",
    "what": "offers and cart reminders",
    "per_month": 6,
    "contact": {"first_name": "Maximilian"},
    "signal": {
        "cart_url": "https://corner.example/cart/8f3a91",
        "form_name": "your quote",
        "order_id": "#50314",
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, source in starters.files():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, tmp_path / name)
    return tmp_path


def load(folder: Path) -> Loaded:
    return loaded.load(folder, environ=ENVIRON)


def faults(folder: Path) -> tuple[Fault, ...]:
    with pytest.raises(BadConfig) as caught:
        load(folder)
    return caught.value.faults


def change(path: Path, old: str, new: str) -> None:
    before = path.read_text(encoding="utf-8")
    assert old in before
    path.write_text(before.replace(old, new, 1), encoding="utf-8")


def test_the_shipped_folder_has_no_fault(folder: Path) -> None:
    found = load(folder)
    assert set(found.plays) == {
        "cart_abandoned",
        "form_abandoned",
        "order_confirmation",
        "pricing_revisit",
        "welcome",
    }
    assert set(found.mappings) >= {"segment", "shopify", "standard"}
    assert found.stages.order
    assert found.hours.version
    assert found.crm.fields


def test_every_shipped_source_can_be_switched_on(folder: Path) -> None:
    config = folder / "config.toml"
    config.write_text(
        re.sub(
            r"^# (?=\[sources|mapping|trust|secrets = \[\"env:(SHOP|STRIPE|TYPEFORM))",
            "",
            config.read_text(),
            flags=re.M,
        )
    )
    shown = {"site", "backend", "shop", "payments", "survey", "site_forms"}
    assert set(load(folder).settings.sources) == shown


def test_faults_of_all_files_come_at_once_sorted_and_by_their_short_names(folder: Path) -> None:
    change(folder / "config.toml", "port = 8080", "port = 80800")
    change(folder / "mappings/plays/welcome.toml", '"signed_up"', '"signed_in"')
    change(folder / "mappings/policy.toml", "contact.employee", "contact.emploee")
    change(folder / "mappings/stages.toml", 'name = "visitor"', 'name = "Visitor"')
    change(folder / "mappings/sources/segment.toml", "context.campaign.name", "contxt.campaign")
    change(folder / "templates/welcome.en.txt", "{{ brand }}", "{{ brand }")
    found = faults(folder)
    files = [fault.file for fault in found]
    assert files[0] == "config.toml"
    assert files[1:] == sorted(files[1:])
    assert {
        "mappings/plays/welcome.toml",
        "mappings/policy.toml",
        "mappings/sources/segment.toml",
        "mappings/stages.toml",
        "templates/welcome.en.txt",
    } <= set(files)
    assert all(fault.line for fault in found)


def test_a_folder_without_config_says_how_to_make_one(tmp_path: Path) -> None:
    found = faults(tmp_path)
    assert len(found) == 1
    assert "connector init" in found[0].remedy


@pytest.mark.parametrize(
    ("old", "new", "field", "says"),
    [
        (
            'mapping = "segment"',
            'mapping = "segmnt"',
            "sources.site.mapping",
            "did you mean segment?",
        ),
        ('keys = ["env:SITE_KEY"]', "", "sources.site", "has no write key"),
        ('mapping = "segment"', 'mapping = "shopify"', "sources.site", "nothing to verify"),
        (
            'mapping = "segment"',
            'mapping = "standard"\nsecrets = ["file:word"]',
            "sources.site.secrets",
            "cannot be used",
        ),
    ],
)
def test_a_source_must_fit_its_mapping(
    folder: Path, old: str, new: str, field: str, says: str
) -> None:
    (folder / "word").write_text("whsec_not base64!")
    change(folder / "config.toml", old, new)
    found = [fault for fault in faults(folder) if fault.field == field]
    assert found
    assert says in str(found[0])
    assert 30 < found[0].line < 40


def test_a_broken_mapping_is_not_told_again_by_every_play(folder: Path) -> None:
    for path in (folder / "mappings/sources").glob("*.toml"):
        path.write_text("[source\n")
    files = {path.name for path in (folder / "mappings/sources").glob("*.toml")}
    assert {"segment.toml", "stripe.toml"} <= files
    assert {fault.file for fault in faults(folder)} == {
        f"mappings/sources/{name}" for name in files
    }


def test_a_stage_that_no_file_knows_is_a_fault_of_the_mapping(folder: Path) -> None:
    change(folder / "mappings/sources/segment.toml", 'stage = "customer"', 'stage = "custmer"')
    found = faults(folder)
    assert [fault.field.rpartition(".")[2] for fault in found] == ["stage"]
    assert "customer" in found[0].remedy


def test_faulty_segments_are_not_told_again_by_every_play(folder: Path) -> None:
    change(folder / "mappings/segments.toml", "when =", "whn =")
    play = folder / "mappings/plays/welcome.toml"
    change(play, "[start]", "audience = \"in_segment('high_intent')\"\n[start]")
    assert {fault.file for fault in faults(folder)} == {"mappings/segments.toml"}


def test_a_segment_that_is_gone_is_told_by_every_play_that_names_it(folder: Path) -> None:
    (folder / "mappings/segments.toml").unlink()
    play = folder / "mappings/plays/welcome.toml"
    with play.open("a", encoding="utf-8") as file:
        file.write('[exit]\nleft = ["high_intent"]\n')
    found = faults(folder)
    assert [(fault.file, fault.field) for fault in found] == [
        ("mappings/plays/welcome.toml", "exit.left")
    ]


def test_every_file_that_decisions_rest_on_is_kept(folder: Path) -> None:
    kept = {(kind, name): content for kind, name, _, content in contents(load(folder))}
    wanted = {"play", "policy", "hours", "mapping", "segments", "library"}
    assert {kind for kind, _ in kept} == wanted
    assert 'name = "high_intent"' in kept["segments", "segments"]
    assert len({version for _, _, version, _ in contents(load(folder))}) == len(kept)


def test_a_changed_segment_is_another_version_of_all_files(folder: Path) -> None:
    before = version_of(load(folder))
    assert version_of(load(folder)) == before
    change(folder / "mappings/segments.toml", "== 1", "== 1 and true")
    assert version_of(load(folder)) != before


def test_old_hours_are_a_fault_only_where_today_is_asked(folder: Path) -> None:
    late = date(2036, 1, 1)
    with pytest.raises(BadConfig):
        loaded.load(folder, late, ENVIRON)
    assert load(folder).plays


def test_a_changed_text_is_another_version_of_its_plays_only(folder: Path) -> None:
    before = {name: play.version for name, play in load(folder).plays.items()}
    change(folder / "templates/cart_abandoned.es.txt", "carrito", "cesta")
    after = {name: play.version for name, play in load(folder).plays.items()}
    assert {name for name in before if before[name] != after[name]} == {"cart_abandoned"}


def shipped_texts() -> list[Path]:
    return sorted((starters.root() / "templates").glob("*.txt"))


@pytest.mark.parametrize("path", shipped_texts(), ids=lambda path: path.name)
def test_a_shipped_text_is_one_segment_and_says_who_writes(path: Path) -> None:
    written = compile_template(path.read_text(encoding="utf-8"))(CONTEXT).rstrip("\n")
    counted = text.count(written)
    assert written.startswith("Corner Shop: ")
    assert (counted.encoding, counted.segments) == ("GSM-7", 1), counted
    assert "\n" not in written


@pytest.mark.parametrize("path", shipped_texts(), ids=lambda path: path.name)
def test_a_shipped_text_is_whole_without_the_facts_that_may_be_absent(path: Path) -> None:
    signal = {"order_id": "#50314"}
    written = compile_template(path.read_text(encoding="utf-8"))(
        {**CONTEXT, "signal": signal, "contact": {}}
    )
    assert "  " not in written
    assert " ." not in written and " !" not in written


def test_every_marketing_text_that_ships_says_how_to_stop(folder: Path) -> None:
    found = load(folder)
    checked = 0
    for play in found.plays.values():
        for step in play.steps:
            if play.purpose is Purpose.marketing and step.template:
                for (name, _), template in found.templates.items():
                    if name == step.template:
                        assert re.search(
                            r"STOP (to opt out|para darse de baja)$", template.source.strip()
                        )
                        checked += 1
    assert checked >= 5


def test_two_shipped_texts_speak_spanish(folder: Path) -> None:
    spanish = {name for name, language in load(folder).templates if language == "es"}
    assert spanish >= {"cart_abandoned", "welcome"}


def test_the_answers_to_stop_start_and_help_must_be_there(folder: Path) -> None:
    assert set(ANSWERS) == set(obey.ANSWERS.values())
    (folder / "templates/stop_confirmed.en.txt").unlink()
    (folder / "templates/help_answer.es.txt").write_text("{{ contact.first_name }}: ayuda")
    assert [(fault.file, fault.message.partition(",")[0]) for fault in faults(folder)] == [
        ("templates/help_answer.es.txt", "reads contact.first_name"),
        ("templates/stop_confirmed.en.txt", "is not there"),
    ]


def test_a_double_opt_in_needs_a_text_that_asks(folder: Path) -> None:
    path = folder / "mappings/sources/segment.toml"
    told = 'method = "web_form"\n'
    path.write_text(
        path.read_text("utf-8").replace(told, f"{told}double_opt_in = true\n", 1), "utf-8"
    )
    load(folder)
    for asking in (folder / "templates").glob("double_opt_in.*.txt"):
        asking.unlink()
    with pytest.raises(BadConfig) as caught:
        load(folder)
    found = {(fault.file, fault.field) for fault in caught.value.faults}
    assert found == {("mappings/sources/segment.toml", "double_opt_in")}  # the others are not used

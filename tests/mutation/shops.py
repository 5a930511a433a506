"""The folders that are broken: the library and the starters, each read once; a mutant tried."""

from __future__ import annotations

import shutil
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from connector import starters
from connector.config import loaded as reading
from connector.config.loaded import Loaded, load
from connector.config.plays.reader import Around, read_play
from connector.config.supply import Supply
from connector.config.toml import Table
from connector.errors import Fault
from connector.expressions import compile_template
from connector.rules.plays import Play
from connector.simulate import examples
from connector.simulate.shelf import library_folder
from tests.mutation.mutants import Mutant, mutants

LANGUAGE: Final = "en"
"""Texts are broken in the language of the examples; tests/library plays them in the others."""
STARTER: Final = "starter/"  #: begins the name of a starter, since the library has some of the same


@dataclass(slots=True)
class Shop:
    """A folder as values, from which mutants of its plays are read."""

    loaded: Loaded
    supply: Supply
    files: Mapping[str, Mapping[str, Any]]  #: each play's file by name
    prefix: str = ""
    killers: dict[str, list[str]] = field(
        default_factory=dict
    )  #: examples, the latest to fail first

    def mutants(self, play: str) -> Iterator[Mutant]:
        """All of a play of it."""
        sources = {
            name: text.source
            for (name, language), text in self.loaded.templates.items()
            if language == LANGUAGE
        }
        for mutant in mutants(play, self.files[play], sources, self.supply):
            yield replace(mutant, play=self.prefix + play)

    def whole(self, play: str) -> str:
        """The first example that fails of the play as it stands; "" where all is well."""
        tried = examples.run(self.loaded, [self.loaded.plays[play]])
        return next((result.example for result in tried if not result.ok), "")

    def failing(self, mutant: Mutant) -> str:
        """What told the mutant from the file as it stands; "" where nothing did."""
        play = self._read(mutant)
        if play is None:
            return "refused"
        order = self.killers.setdefault(play.name, [str(item["name"]) for item in play.examples])
        tried = sorted(play.examples, key=lambda item: order.index(str(item["name"])))
        play = replace(play, examples=tuple(tried))
        alone = replace(
            self.loaded,
            plays={play.name: play},
            templates={**self.loaded.templates, **play.templates},
        )
        for result in examples.run(alone, [play]):
            if not result.ok:
                order.remove(result.example)
                order.insert(0, result.example)
                return result.example
        return ""

    def _read(self, mutant: Mutant) -> Play | None:
        name = mutant.play.removeprefix(self.prefix)
        faults: list[Fault] = []
        texts = {(each, LANGUAGE): compile_template(text) for each, text in mutant.texts.items()}
        around = Around(
            self.supply, {**self.loaded.templates, **texts}, LANGUAGE, self.loaded.segments
        )
        top = Table(name, dict(mutant.values), faults, {})
        path = Path("mappings", "plays", f"{name}.toml")
        play = read_play(path, top, f"# {mutant.line}: {mutant.mutation}", around)
        return None if faults else play


@lru_cache(maxsize=1)
def shops() -> tuple[Shop, Shop]:
    """The library and the starters."""
    with tempfile.TemporaryDirectory() as place:
        library = library_folder(Path(place, "library"))
        own = library_folder(Path(place, "starters"))
        shutil.rmtree(own / "mappings" / "plays")
        shutil.copytree(starters.root() / "mappings" / "plays", own / "mappings" / "plays")
        return _shop(library, ""), _shop(own, STARTER)


def _shop(folder: Path, prefix: str) -> Shop:
    loaded = load(folder, secrets=False)
    supply = reading._supply(loaded.mappings, loaded.stages)
    supply = replace(
        supply,
        crm=loaded.crm.known,
        webhooks=frozenset(loaded.settings.webhooks),
        segments=frozenset(loaded.segments),
    )
    files = {
        path.stem: tomllib.loads(path.read_text(encoding="utf-8"))
        for path in sorted((folder / "mappings" / "plays").glob("*.toml"))
    }
    return Shop(loaded, supply, files, prefix)


def names() -> list[str]:
    """Every play, a starter's with its prefix."""
    return [shop.prefix + name for shop in shops() for name in shop.files]


def shop_of(play: str) -> tuple[Shop, str]:
    """The shop of a play, and what it is called there."""
    library, own = shops()
    is_own = play.startswith(STARTER)
    return (own if is_own else library), play.removeprefix(STARTER)

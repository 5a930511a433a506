"""Templates: ``templates/<name>.<language>.txt`` compiled, every fault with its line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from connector.errors import Fault
from connector.expressions import MAX_TEMPLATE, Template, compile_template
from connector.rules import reviews

_FILE: Final = re.compile(r"([a-z][a-z0-9_]{0,49})\.([a-z]{2,3}(?:-[A-Z]{2})?)\.txt")
_LINE: Final = re.compile(r"line (\d+): ")


def load_templates(folder: Path, faults: list[Fault]) -> dict[tuple[str, str], Template]:
    """Every text in ``folder`` by (name, language); faults are added to ``faults``."""
    found = {}
    for path in sorted(folder.glob("*.txt")):
        named = _FILE.fullmatch(path.name)
        if not named:
            remedy = "name it <name>.<language>.txt: welcome.en.txt, welcome.pt-BR.txt"
            faults.append(Fault(str(path), 0, "", "is not named as a text", remedy))
        elif template := _load(path, faults):
            found[named[1], named[2]] = template
    return found


def _load(path: Path, faults: list[Fault]) -> Template | None:
    try:
        raw = path.read_bytes()
        if len(raw) > 4 * MAX_TEMPLATE:
            raise ValueError(f"has {len(raw)} bytes; at most {MAX_TEMPLATE} characters are taken")
        template = compile_template(raw.decode("utf-8-sig"))
    except OSError as error:
        faults.append(Fault(str(path), 0, "", f"cannot be read: {error.strerror}", "fix its mode"))
    except UnicodeDecodeError:
        faults.append(Fault(str(path), 0, "", "is not UTF-8", "save it as UTF-8 text"))
    except ValueError as error:
        message = str(error)
        line = _LINE.match(message)
        place = int(line[1]) if line else 0
        text = message[line.end() :] if line else message
        faults.append(Fault(str(path), place, "", text, "mend the text"))
    else:
        if template.source.strip():
            _check_terms(path, template, faults)
            return template
        faults.append(Fault(str(path), 0, "", "is empty", "write the text, or remove the file"))
    return None


def _check_terms(path: Path, template: Template, faults: list[Fault]) -> None:
    """What the first line says of how long the text is good must be understood."""
    try:
        reviews.terms(template.source)
    except ValueError as error:
        remedy = "write it as {# valid_until: 2027-01-31 #}"
        faults.append(Fault(str(path), 1, "", f"begins with a comment that {error}", remedy))

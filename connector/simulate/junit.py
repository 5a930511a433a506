"""The results as JUnit writes them, for machines that run tests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree

from connector.simulate.examples import Result

#: What XML cannot hold.
_STRANGE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(results: Sequence[Result]) -> bytes:
    """One suite a play, one case an example."""
    top = ElementTree.Element("testsuites", _counts(results), name="connector test")
    for play in dict.fromkeys(result.play for result in results):
        own = [result for result in results if result.play == play]
        suite = ElementTree.SubElement(top, "testsuite", _counts(own), name=play)
        for result in own:
            seconds = f"{result.seconds:.4f}"
            case = ElementTree.SubElement(
                suite, "testcase", classname=play, name=_printable(result.example), time=seconds
            )
            if not result.ok:
                first = _printable(result.differences[0])
                failed = ElementTree.SubElement(case, "failure", message=first)
                lines = [*result.differences, "", *result.timeline]
                failed.text = "\n".join(map(_printable, lines))
    ElementTree.indent(top)
    return bytes(ElementTree.tostring(top, encoding="utf-8", xml_declaration=True)) + b"\n"


def _counts(results: Sequence[Result]) -> dict[str, str]:
    return {
        "tests": str(len(results)),
        "failures": str(sum(not result.ok for result in results)),
        "errors": "0",
        "time": f"{sum(result.seconds for result in results):.4f}",
    }


def _printable(text: str) -> str:
    return _STRANGE.sub("", text)

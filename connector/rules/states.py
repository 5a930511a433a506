"""The states and provinces: their names, the clocks they keep, and their postal codes.

States that keep two clocks list both: a text must be lawful in each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_TABLE = """
AL|Alabama|Chicago
AK|Alaska|Anchorage Adak
AZ|Arizona|Phoenix Denver
AR|Arkansas|Chicago
CA|California|Los_Angeles
CO|Colorado|Denver
CT|Connecticut|New_York
DE|Delaware|New_York
DC|District of Columbia|New_York
FL|Florida|New_York Chicago
GA|Georgia|New_York
HI|Hawaii|Pacific/Honolulu
ID|Idaho|Boise Los_Angeles
IL|Illinois|Chicago
IN|Indiana|Indiana/Indianapolis Chicago
IA|Iowa|Chicago
KS|Kansas|Chicago Denver
KY|Kentucky|New_York Chicago
LA|Louisiana|Chicago
ME|Maine|New_York
MD|Maryland|New_York
MA|Massachusetts|New_York
MI|Michigan|Detroit Menominee
MN|Minnesota|Chicago
MS|Mississippi|Chicago
MO|Missouri|Chicago
MT|Montana|Denver
NE|Nebraska|Chicago Denver
NV|Nevada|Los_Angeles
NH|New Hampshire|New_York
NJ|New Jersey|New_York
NM|New Mexico|Denver
NY|New York|New_York
NC|North Carolina|New_York
ND|North Dakota|Chicago Denver
OH|Ohio|New_York
OK|Oklahoma|Chicago
OR|Oregon|Los_Angeles Boise
PA|Pennsylvania|New_York
RI|Rhode Island|New_York
SC|South Carolina|New_York
SD|South Dakota|Chicago Denver
TN|Tennessee|New_York Chicago
TX|Texas|Chicago Denver
UT|Utah|Denver
VT|Vermont|New_York
VA|Virginia|New_York
WA|Washington|Los_Angeles
WV|West Virginia|New_York
WI|Wisconsin|Chicago
WY|Wyoming|Denver
"""

_PROVINCES = """
AB|Alberta|Edmonton
BC|British Columbia|Vancouver Dawson_Creek Edmonton
MB|Manitoba|Winnipeg
NB|New Brunswick|Moncton
NL|Newfoundland and Labrador|St_Johns Goose_Bay
NS|Nova Scotia|Halifax
NT|Northwest Territories|Yellowknife
NU|Nunavut|Iqaluit Rankin_Inlet Cambridge_Bay
ON|Ontario|Toronto Winnipeg
PE|Prince Edward Island|Halifax
QC|Quebec|Toronto
SK|Saskatchewan|Regina
YT|Yukon|Whitehorse
"""

Named = tuple[str, tuple[str, ...]]  #: a name in English and the zones


def _read(table: str) -> dict[str, Named]:
    rows = (line.split("|") for line in table.strip().splitlines())
    return {
        code: (name, tuple(_zone(city) for city in zones.split())) for code, name, zones in rows
    }


def _zone(city: str) -> str:
    return city if city.startswith("Pacific/") else f"America/{city}"


STATES: Final[Mapping[str, Named]] = _read(_TABLE)
PROVINCES: Final[Mapping[str, Named]] = _read(_PROVINCES)
TERRITORIES: Final = frozenset({"AS", "GU", "MP", "PR", "VI"})

ZIPS: Final = """
US-AL 350-369
US-AK 995-999
US-AZ 850-865
US-AR 716-729
US-CA 900-961
US-CO 800-816
US-CT 060-069
US-DE 197-199
US-DC 200 202-205 569
US-FL 320-339 341-349
US-GA 300-319 398 399
US-HI 967 968
US-ID 832-838
US-IL 600-629
US-IN 460-479
US-IA 500-528
US-KS 660-679
US-KY 400-427
US-LA 700-714
US-ME 039-049
US-MD 206-219
US-MA 010-027 055
US-MI 480-499
US-MN 550-567
US-MS 386-397
US-MO 630-658
US-MT 590-599
US-NE 680-693
US-NV 889-898
US-NH 030-038
US-NJ 070-089
US-NM 870-884
US-NY 005 06390 100-149
US-NC 270-289
US-ND 580-588
US-OH 430-459
US-OK 730-732 734-749
US-OR 970-979
US-PA 150-196
US-RI 028 029
US-SC 290-299
US-SD 570-577
US-TN 370-385
US-TX 733 750-799 885
US-UT 840-847
US-VT 050-054 056-059
US-VA 201 220-246
US-WA 980-994
US-WV 247-268
US-WI 530-549
US-WY 820-831 83414
AS 96799
FM 9694
GU 969
MH 9696 9697
MP 9695
PR 006 007 009
PW 96939 96940
VI 008
"""
"""Place and its ZIP prefixes, of which the longest counts; those of the forces abroad have none."""

LETTERS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys("GHJ", ("CA-QC",)),
    **dict.fromkeys("KLMNP", ("CA-ON",)),
    "A": ("CA-NL",),
    "B": ("CA-NS",),
    "C": ("CA-PE",),
    "E": ("CA-NB",),
    "R": ("CA-MB",),
    "S": ("CA-SK",),
    "T": ("CA-AB",),
    "V": ("CA-BC",),
    "X": ("CA-NT", "CA-NU"),
    "Y": ("CA-YT",),
}
"""The first letter of a Canadian postal code → its provinces."""

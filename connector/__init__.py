"""The CRM SMS connector."""

from zoneinfo import ZoneInfo, reset_tzpath

# Everywhere the same zones, those of the tzdata package, whatever files the machine has: with no
# folder to search, zoneinfo reads the package. What was read before is forgotten.
reset_tzpath(to=())
ZoneInfo.clear_cache()

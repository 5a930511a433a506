"""Backups: one file with the ledger, the inbox and the folder's own files, made while all runs.

The file is a zip: ``manifest.json``, ``ledger.db``, ``inbox.db``, and under ``folder/`` the
configuration, mappings and templates, without the files that hold secrets. It is written beside
its place, read back, synced, and only then given its name.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sqlite3
import tempfile
import tomllib
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, Final

import orjson

from connector import clock
from connector.config.settings import FILE, Settings
from connector.errors import ConnectorError
from connector.ledger import snapshot
from connector.ledger.snapshot import Progress
from connector.ledger.sqlite import SqliteStore
from connector.runtime import INBOX_FILE, LEDGER_FILE

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
FOLDERS: Final = ("mappings", "templates")
INSIDE: Final = "folder/"  #: where in the file the folder's own files stand
CHUNK: Final = 1 << 20
NAME: Final = "connector-{stamp}.backup"

_NAMED: Final = re.compile(r"connector-\d{8}T\d{6}Z\.backup")


def silent(name: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


def make(
    settings: Settings,
    store: SqliteStore,
    target: Path,
    *,
    now: datetime,
    progress: Progress = silent,
) -> tuple[Path, dict[str, Any]]:
    """Back everything up into a file (or into a new file of a folder); its path and manifest.

    Raises ``ConnectorError`` where a check fails or the disk refuses; nothing is left then, and
    what stood under that name stays.
    """
    stamp = f"{now:%Y%m%dT%H%M%SZ}"
    if not target.suffix and not target.exists():  # a folder that is not mounted, say
        raise ConnectorError(
            f"there is no folder {target}; make it, or name a file: {target}.backup"
        )
    path = target / NAME.format(stamp=stamp) if target.is_dir() else target
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=path.parent) as work:
            whole = Path(work) / "whole"
            manifest = _write(settings, store, Path(work), whole, now, progress)
            verify(whole)
            _settle(whole, path)
    except (OSError, sqlite3.Error, zipfile.BadZipFile) as error:
        raise ConnectorError(
            f"the backup could not be written: {error}; see that {path.parent} "
            "is there, is yours and has room"
        ) from error
    return path, manifest


def _write(
    settings: Settings,
    store: SqliteStore,
    work: Path,
    whole: Path,
    now: datetime,
    progress: Progress,
) -> dict[str, Any]:
    whole.touch(mode=0o600)
    inbox = settings.ledger / INBOX_FILE
    rows: dict[str, dict[str, int]] = {}
    with snapshot.standing_still(store, inbox, clock.now) as (ledger, waiting, _):
        if waiting is not None:
            rows[INBOX_FILE] = snapshot.copy(waiting, work / INBOX_FILE, progress).rows
            waiting.close()  # let its log be tidied while the ledger, which is larger, is copied
        rows[LEDGER_FILE] = snapshot.copy(ledger, work / LEDGER_FILE, progress).rows
    entries = [(name, work / name) for name in rows]
    entries += [(f"{INSIDE}{name}", path) for name, path in own_files(settings.folder)]
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "made_at": clock.text(now),
        "release": version("crm-sms-connector"),
        "migrations": list(store.migrations()),
        "rows": rows,
        "files": {},
    }
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, path in entries:
            manifest["files"][name] = _put(archive, name, path, progress)
        archive.writestr(MANIFEST, orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
    return manifest


def own_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """(name, path) of the folder's own files, but for those that ``config.toml`` calls secrets."""
    config = folder / FILE
    hidden = {(folder / name).resolve() for name in _secret_files(config)}
    paths = [config, *(path for name in FOLDERS for path in sorted((folder / name).rglob("*")))]
    for path in paths:
        if path.is_file() and not path.is_symlink() and path.resolve() not in hidden:
            yield path.relative_to(folder).as_posix(), path


def _secret_files(config: Path) -> Iterator[str]:
    """What ``file:`` names anywhere in the configuration."""
    waiting: list[Any] = [tomllib.loads(config.read_text(encoding="utf-8"))]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str) and item.startswith("file:"):
            yield item.removeprefix("file:")


def _put(
    archive: zipfile.ZipFile, name: str, path: Path, progress: Progress
) -> dict[str, int | str]:
    digest, size, total = hashlib.sha256(), 0, path.stat().st_size
    info = zipfile.ZipInfo(name)
    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
    with path.open("rb") as source, archive.open(info, "w", force_zip64=True) as target:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            target.write(chunk)
            progress(f"{name} (packing)", size, total)
    return {"sha256": digest.hexdigest(), "bytes": size}


def verify(path: Path) -> dict[str, Any]:
    """Read a backup back, every byte of it; its manifest.

    Raises ``ConnectorError`` where a file is missing, was not named, or is not what it was.
    """
    if not path.is_file():
        raise ConnectorError(f"{path} is not there; name a file that `connector backup` wrote")
    try:
        with zipfile.ZipFile(path) as archive:
            manifest: dict[str, Any] = orjson.loads(archive.read(MANIFEST))
            if manifest.get("format") != FORMAT:
                raise ConnectorError(f"{path} was made by a newer release; install that one first")
            names = set(archive.namelist()) - {MANIFEST}
            databases = set(manifest["rows"])
            if not {LEDGER_FILE} <= databases <= {LEDGER_FILE, INBOX_FILE} or not (
                databases <= names == set(manifest["files"])
            ):
                raise ConnectorError(f"{path} does not hold the files that its manifest names")
            for name, kept in manifest["files"].items():
                with archive.open(name) as file:
                    if _digest(file) != kept["sha256"]:
                        raise ConnectorError(f"{name} in {path} is not what was backed up")
    except (OSError, zipfile.BadZipFile, zlib.error, KeyError, TypeError, ValueError) as error:
        raise ConnectorError(f"{path} is no whole backup: {error}") from error
    return manifest


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def unpack(path: Path, names: dict[str, Path], manifest: dict[str, Any]) -> None:
    """Write files of a verified backup to new places, and check the databases among them.

    Raises ``ConnectorError`` where a database is not whole or lacks rows.
    """
    with zipfile.ZipFile(path) as archive:
        for name, target in names.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch(mode=0o600)
            with archive.open(name) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file, CHUNK)
                file.flush()
                os.fsync(file.fileno())
            if name in manifest["rows"]:
                with closing(sqlite3.connect(target)) as made:
                    if snapshot.check(made, name) != manifest["rows"][name]:
                        raise ConnectorError(f"{name} in {path} lacks rows that were backed up")


def prune(folder: Path, keep: int) -> list[Path]:
    """Remove the oldest backups of a folder but for the newest ``keep``; which were removed."""
    found = sorted(path for path in folder.glob("*.backup") if _NAMED.fullmatch(path.name))
    old = found[:-keep] if keep else []
    for path in old:
        path.unlink(missing_ok=True)
    return old


def newest(folder: Path) -> datetime | None:
    """When the newest backup of a folder was made, by its name."""
    found = sorted(path.name for path in folder.glob("*.backup") if _NAMED.fullmatch(path.name))
    return datetime.strptime(f"{found[-1][10:26]}+0000", "%Y%m%dT%H%M%SZ%z") if found else None


def _settle(whole: Path, path: Path) -> None:
    """Sync a file and give it its name, whole or not at all."""
    with whole.open("rb") as file:
        os.fsync(file.fileno())
    whole.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

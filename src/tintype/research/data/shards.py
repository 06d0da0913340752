"""Folders that `tintype data pack` has made, as training reads them. Needs no torch."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tintype.errors import DataError
from tintype.research.data.ledger import MANIFEST, PLAN, WORK
from tintype.research.data.sources import expand

SPLITS = ("train", "validation")


@dataclass(frozen=True)
class Shard:
    """A tar file of photos, how many there are, and the hash that the manifest has of it."""

    path: Path
    photos: int
    sha256: str


@dataclass(frozen=True)
class Pack:
    """What a folder holds: its shards by split, and the folders of the photos for training."""

    train: list[Shard]
    validation: list[Shard]
    classes: set[str]


def find_packs(patterns: Iterable[str]) -> list[Pack]:
    """The packs that patterns name; none where they name photos or tar files.

    Raises DataError where they name both, or a pack that is not whole.
    """
    paths = [Path(path) for pattern in patterns for path in expand(pattern)]
    manifests = {path: found for path in paths if (found := _read_manifest(path)) is not None}
    if manifests and len(manifests) < len(paths):
        other = next(path for path in paths if path not in manifests)
        raise DataError(
            f"{other}: expected another folder of `tintype data pack`, as "
            f"{next(iter(manifests))} is one, found none; train on one kind at a time"
        )
    return [_read_pack(path, found) for path, found in manifests.items()]


def _read_manifest(folder: Path) -> dict[str, Any] | None:
    try:
        found = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        if (folder / WORK / PLAN).exists():
            raise DataError(
                f"{folder}: expected a pack that is done, found one that was stopped; "
                "start `tintype data pack` again"
            ) from None
        return None
    return found if isinstance(found, dict) and {"tintype", "shards"} <= found.keys() else None


def _read_pack(folder: Path, manifest: dict[str, Any]) -> Pack:
    shards: dict[str, list[Shard]] = {split: [] for split in SPLITS}
    for about in manifest["shards"]:
        path = folder / about["name"]
        if not path.is_file() or path.stat().st_size != about["bytes"]:
            found = f"{path.stat().st_size:,} bytes" if path.is_file() else "no file"
            raise DataError(
                f"{path}: expected {about['bytes']:,} bytes, as {MANIFEST} says, found {found}; "
                "copy or pack it again"
            )
        split = about["name"].partition("-")[0]
        shards[split].append(Shard(path, about["photos"], about["sha256"]))
    return Pack(shards["train"], shards["validation"], set(manifest["classes"]["train"]))

"""Photographs packed for training at ImageNet's size: shrunk once, into WebDataset's tar shards.

    SRC ──find_photos──▶ places ──choose_photos──▶ subset ──plan_shards──▶ tar files, manifest

Hashes of the photos' keys decide what goes where before the first photo is read. So a shard can be
made alone, a pack that was killed goes on with the shards that are not whole, and it ends at the
same bytes. OUT/.pack keeps what was asked for and what each whole shard holds.

Of all photos only keys and places are held, in some 300 bytes each; of pixels, one photo a worker.
"""

import hashlib
import io
import os
import tarfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image
from tqdm import tqdm

from tintype.errors import DataError, PhotoError, ProfileError
from tintype.files import open_whole
from tintype.parallel import map_in_order
from tintype.photo import read_rgb
from tintype.research.data import ledger
from tintype.research.data.ledger import Tally
from tintype.research.data.sources import Place, find_photos, shrink

MIN_SIDE = 64  # of the short side: less shows little
MAX_RATIO = 4  # of the long side to the short one: panoramas and banners
MAX_PIXELS = 50_000_000  # each worker holds a photo, at 3 to 4 bytes a pixel
GRAY = 8  # Cb and Cr, 0..255, from neutral: 150 color photos reach 13, gray scans 0 to 5
QUALITY = 90
FORMAT = f"JPEG 4:4:4, quality {QUALITY}"


@dataclass(frozen=True)
class Options:
    """What decides the shards' bytes, beside the photos.

    size: pixels that a photo's short side has at most
    per_shard: how many photos are meant for one shard
    validation: the share of photos that is held out, 0..1
    subset: how many photos to choose, of all; None for all
    seed: of the subset
    keep_gray: whether photos without colors are packed too
    """

    size: int = 256
    per_shard: int = 1000
    validation: float = 0.02
    subset: int | None = None
    seed: int = 0
    keep_gray: bool = False


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """A tar file to be made, and what it is made of."""

    name: str
    places: list[Place]


@dataclass(frozen=True, slots=True)
class PackedPhoto:
    """What became of a photo.

    content: its JPEG file; None where it is left out
    reason, why: of being skipped, in general and of this photo
    """

    content: bytes | None = None
    gray: bool = False
    reason: str = ""
    why: str = ""


def pack(patterns: list[str], out: Path, options: Options, *, workers: int = 1) -> dict[str, Any]:
    """Pack the photos of folders, tar files or glob patterns into OUT; returns the manifest.

    Goes on where a pack of the same photos with the same options has ended. Raises DataError where
    a source is missing or broken, OUT holds something else, or a file cannot be written.
    """
    asked = {"sources": [os.path.abspath(p) for p in patterns], **asdict(options), "format": FORMAT}
    with ledger.explain_errors(out):
        (out / ledger.WORK).mkdir(parents=True, exist_ok=True)
        with ledger.lock_folder(out):
            ledger.check(out, asked)  # before minutes of listing
            tally = Tally()
            every = find_photos(patterns, out / ledger.WORK)
            found = list(tqdm(every, desc="listing", unit=" photos", disable=None, delay=2))
            places = choose_photos(found, options, tally)
            if not places:
                raise DataError(f"{' '.join(patterns)}: expected photos, found none; name others")
            ledger.begin(out, asked | {"photos": _fingerprint(places)})
            shards = plan_shards(places, options)
            _make(shards, out, options, workers)
            return _finish(out, shards, asked, len(found), tally)


def choose_photos(places: Iterable[Place], options: Options, tally: Tally) -> list[Place]:
    """The photos to pack, one for each key, shuffled.

    The order of `places` changes nothing, but where two sources have the same file: then the first
    is packed. A subset holds the photos whose hash with the seed is least: exactly so many, or all.
    A smaller one is a part of a larger one. What cannot be packed is counted in `tally`.
    """
    unique: list[Place] = []
    for place in sorted(places, key=lambda place: _order_key(place) + _bytes(place.suffix)):
        if place.key.startswith("/") or ".." in place.key.split("/"):
            tally.skip("name leads out of the folder", place.key)
        elif unique and unique[-1].key == place.key:
            tally.skip("another photo has the key", place.key + place.suffix)
        else:
            unique.append(place)
    if options.subset is None or options.subset >= len(unique):
        return unique
    drawn = sorted(unique, key=lambda place: _hash_key(f"subset {options.seed}", place.key))
    return sorted(drawn[: options.subset], key=_order_key)


def is_validation(key: str, share: float) -> bool:
    """Whether a photo is for validation, by its key alone.

    Not by the hash of `photo_set.hold_out`, so that the other shards hold photos for tuning.
    """
    return int.from_bytes(_hash_key("validation", key)[:8]) < share * 2**64


def plan_shards(places: list[Place], options: Options) -> list[ShardPlan]:
    """Which photo goes into which shard, in the order given."""
    shards = []
    held = [is_validation(place.key, options.validation) for place in places]
    for split, side in (("train", False), ("validation", True)):
        some = [place for place, is_held in zip(places, held, strict=True) if is_held is side]
        for i, start in enumerate(range(0, len(some), options.per_shard)):
            part = some[start : start + options.per_shard]
            shards.append(ShardPlan(f"{split}-{i:06d}.tar", part))
    return shards


def _order_key(place: Place) -> bytes:
    return _hash_key("order", place.key)


def _hash_key(purpose: str, key: str) -> bytes:
    """Bytes that order keys as if at random, another order for each purpose."""
    text = _bytes(key)
    return hashlib.sha256(_bytes(purpose) + b"\0" + text).digest()[:8] + text


def _fingerprint(places: list[Place]) -> str:
    """How many photos, and a hash of their names in order."""
    names = hashlib.sha256()
    for place in places:
        names.update(_bytes(f"{place.key}{place.suffix}\0"))
    return f"{len(places)} (SHA-256 {names.hexdigest()[:16]})"


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")  # a file's name may be no UTF-8


def pack_photo(place: Place, options: Options) -> PackedPhoto:
    """Read, judge, shrink and write one photo. Raises DataError where its file has gone."""
    try:
        rgb = read_rgb(place.read(), max_pixels=MAX_PIXELS, strict=True)
    except FileNotFoundError:  # a disk that went away must not leave out all the rest
        raise DataError(
            f"{place.source}: expected {place.key}{place.suffix} as it was listed, found nothing; "
            "bring it back and start again to go on"
        ) from None
    except (PhotoError, OSError, ValueError) as error:
        reason = "colors unknown" if isinstance(error, ProfileError) else "unreadable"
        return PackedPhoto(reason=reason, why=str(error).removeprefix("the image: "))
    height, width, _ = rgb.shape
    short, long = sorted((height, width))
    if short < MIN_SIDE:
        return PackedPhoto(reason=f"short side under {MIN_SIDE}", why=f"{width} x {height}")
    if long > MAX_RATIO * short:
        return PackedPhoto(reason=f"longer than {MAX_RATIO}:1", why=f"{width} x {height}")
    image = shrink(Image.fromarray(rgb), options.size)
    gray = is_gray(image)
    if gray and not options.keep_gray:
        return PackedPhoto(gray=True)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY, subsampling=0)
    return PackedPhoto(buffer.getvalue(), gray)


def is_gray(image: Image.Image) -> bool:
    """Whether no pixel of an RGB image has a color to speak of. Toned prints have."""
    few = image.resize((32, 32), Image.Resampling.NEAREST)  # settles it for most color photos
    return _is_neutral(few) and _is_neutral(image)


def _is_neutral(image: Image.Image) -> bool:
    chroma = np.asarray(image.convert("YCbCr"))[..., 1:]
    return bool(chroma.min() >= 128 - GRAY and chroma.max() <= 128 + GRAY)


def _make(shards: list[ShardPlan], out: Path, options: Options, workers: int) -> None:
    """Make the shards that are missing, one after the other, their photos by several workers."""
    missing = [shard for shard in shards if ledger.read_note(out, shard.name) is None]
    places = (place for shard in missing for place in shard.places)
    every, rest = (sum(len(shard.places) for shard in some) for some in (shards, missing))
    bar = tqdm(desc="packing", unit=" photos", total=every, initial=every - rest, disable=None)
    work = partial(pack_photo, options=options)
    with bar, closing(map_in_order(work, places, workers)) as results:
        for shard in missing:
            _write(shard, results, out, bar.update)


def _write(
    shard: ShardPlan, results: Iterator[PackedPhoto], out: Path, tell: Callable[[], object]
) -> None:
    """Make a shard from the results of its photos, which come in its order."""
    with open_whole(out / shard.name) as file:
        tally = _fill(file, shard, results, tell)
        size = file.tell()
        file.seek(0)
        about = {
            "name": shard.name,
            "photos": tally.classes.total(),
            "bytes": size,
            "sha256": hashlib.file_digest(file, "sha256").hexdigest(),
        }
        # Before the shard gets its name, so that one with its name is whole and noted.
        ledger.save(out / ledger.WORK / f"{shard.name}.json", about | {"tally": vars(tally)})


def _fill(
    file: BinaryIO, shard: ShardPlan, results: Iterator[PackedPhoto], tell: Callable[[], object]
) -> Tally:
    """Write the members of a shard, and count."""
    tally = Tally()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for place, result in zip(shard.places, results, strict=False):  # results go on beyond
            tell()
            tally.gray += result.gray
            if result.reason:
                tally.skip(result.reason, f"{place.key}{place.suffix}: {result.why}")
            if result.content is None:
                continue
            tally.classes[place.key.rpartition("/")[0]] += 1
            _add(tar, f"{place.key}.jpg", result.content)
            if result.gray:
                _add(tar, f"{place.key}.json", b'{"gray": true}')
    return tally


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """Add a member that bears no trace of when and by whom."""
    about = tarfile.TarInfo(name)  # of owner 0, time 0
    about.size = len(content)
    tar.addfile(about, io.BytesIO(content))


def _finish(
    out: Path, shards: list[ShardPlan], options: dict[str, Any], photos: int, tally: Tally
) -> dict[str, Any]:
    """Write the manifest, and remove what is not needed any more."""
    about, classes = [], {"train": Counter[str](), "validation": Counter[str]()}
    for shard in shards:
        note = ledger.read_note(out, shard.name)
        assert note is not None, shard.name
        counts = Tally(**note.pop("tally"))
        classes[shard.name.partition("-")[0]].update(counts.classes)
        tally.add(counts)
        about.append(note)
    manifest = {
        "tintype": 1,
        "options": options,
        "photos": photos,
        "packed": {split: counts.total() for split, counts in classes.items()},
        "gray": tally.gray,
        "skipped": {
            reason: {"photos": count, "examples": tally.examples[reason]}
            for reason, count in sorted(tally.skipped.items())
        },
        "bytes": sum(note["bytes"] for note in about),
        "classes": {split: dict(sorted(counts.items())) for split, counts in classes.items()},
        "shards": about,
    }
    ledger.save(out / ledger.MANIFEST, manifest)
    for unpacked in (out / ledger.WORK).glob("*.tar"):
        unpacked.unlink()
    return manifest


def summarize(manifest: dict[str, Any]) -> str:
    """What a manifest says, in a line."""
    packed = ", ".join(f"{count:,} for {split}" for split, count in manifest["packed"].items())
    left = [f"{about['photos']:,} {why}" for why, about in manifest["skipped"].items()]
    size = f"{manifest['bytes'] / 1e6:,.0f} MB"
    return (
        f"packed {packed} in {len(manifest['shards']):,} shards, {size}; of {manifest['photos']:,} "
        f"photos {manifest['gray']:,} gray" + "".join(f", {text}" for text in left)
    )

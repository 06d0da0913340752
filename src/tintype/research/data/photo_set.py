"""Photographs for training: from tar shards, folders or ImageNet's layout into memory.

A whole small set is held as uint8 on the training device and cropped there, so that the device
never waits for a decoder.
"""

import hashlib
import os
import re
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from tintype.errors import DataError, PhotoError
from tintype.parallel import map_in_order
from tintype.photo import SUFFIXES, read_rgb
from tintype.research.data.sources import BROKEN_TAR, broken_tar, expand, shrink

RECIPES = (r"\.json", r"\.recipe\.json", r"\.[0-9a-f]{8}\.recipe\.json")  # the last: the editor's
UNKNOWN = "photo"  # the folder of photos whose class is not known


@dataclass(frozen=True)
class PhotoSet:
    """Photos of many sizes in one flat tensor.

    pixels: (N, 3) uint8 RGB, the photos' pixels one after the other, row by row
    offset, height, width: (photos,) int64, where each photo begins and its size
    keys: names, unique within their source: a path without its suffix
    """

    pixels: Tensor
    offset: Tensor
    height: Tensor
    width: Tensor
    keys: list[str]

    @staticmethod
    def from_arrays(photos: list[np.ndarray], keys: list[str]) -> "PhotoSet":
        """The set of photos (height, width, 3) uint8 with their keys."""
        height, width = (torch.tensor([p.shape[axis] for p in photos]).long() for axis in (0, 1))
        rows = [np.zeros((0, 3), np.uint8), *(photo.reshape(-1, 3) for photo in photos)]
        offset = torch.cumsum(height * width, 0) - height * width
        return PhotoSet(torch.from_numpy(np.concatenate(rows)), offset, height, width, keys)

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def labels(self) -> Tensor:
        """(photos,) int64: the class, which is a key's folder; -1 for none that is told apart."""
        return self.label(number_classes({key.rpartition("/")[0] for key in self.keys}))

    def label(self, number: dict[str, int]) -> Tensor:
        """(photos,) int64: the numbers of the keys' folders; -1 for one that has none."""
        return torch.tensor([number.get(key.rpartition("/")[0], -1) for key in self.keys])

    def photo(self, i: int) -> np.ndarray:
        """Photo i as (height, width, 3) uint8."""
        h, w, start = int(self.height[i]), int(self.width[i]), int(self.offset[i])
        return self.pixels[start : start + h * w].reshape(h, w, 3).cpu().numpy()

    def to(self, device: torch.device) -> "PhotoSet":
        """The same set on another device."""
        return PhotoSet(
            self.pixels.to(device),
            self.offset.to(device),
            self.height.to(device),
            self.width.to(device),
            self.keys,
        )


def number_classes(folders: set[str]) -> dict[str, int]:
    """The classes that photos' folders tell, by their names, from 0 on.

    A folder that has no others beside it, such as a source with one class, tells nothing, nor does
    one that is called `photo`: there lie a source's photos whose class is not known.
    """
    named = [name for name in folders if name and name.rpartition("/")[2] != UNKNOWN]
    beside = Counter(name.rpartition("/")[0] for name in named)
    telling = sorted(name for name in named if beside[name.rpartition("/")[0]] > 1)
    return {name: i for i, name in enumerate(telling)}


def load(patterns: list[str], *, size: int = 128, limit: int | None = None) -> PhotoSet:
    """Read every photo that tar files, folders or glob patterns hold into memory.

    Photos whose short side exceeds `size` pixels are shrunk to it; unreadable ones are skipped
    and counted on stderr. Raises DataError where nothing is found.
    """
    photos, keys, bad = [], [], 0

    def work(item: tuple[str, bytes | Path]) -> tuple[str, np.ndarray | None]:
        return item[0], decode(item[1], size)

    bar = tqdm(desc="reading photos", unit=" photos", disable=None, total=limit)
    decoded = map_in_order(work, _read_photos(patterns), os.cpu_count() or 1)
    with bar, closing(decoded):
        for key, rgb in decoded:
            bar.update()
            if rgb is None:
                bad += 1
                continue
            photos.append(rgb)
            keys.append(key)
            if len(photos) == limit:
                break
    if not photos:
        raise DataError(f"{' '.join(patterns)}: expected photos or tar files of photos, found none")
    if bad:
        tqdm.write(f"skipped {bad} unreadable photos", file=sys.stderr)
    return PhotoSet.from_arrays(photos, keys)


def _read_photos(patterns: list[str]) -> Iterator[tuple[str, bytes | Path]]:
    """Every photo's key and file, or what a tar file has of it, in a fixed order."""
    for pattern in patterns:
        for path in map(Path, expand(pattern)):
            if path.is_dir():
                for file in sorted(path.rglob("*")):
                    if file.suffix.lower() in SUFFIXES and file.is_file():
                        yield str(file.relative_to(path).with_suffix("")), file
            elif path.suffix.lower() in SUFFIXES and path.is_file():
                yield str(path.with_suffix("")), path
            elif path.exists():
                yield from read_tar(path)
            else:
                raise DataError(f"{path}: expected a tar file or a folder of photos, found nothing")


def read_tar(path: Path) -> Iterator[tuple[str, bytes]]:
    """The key and the file of every photo of a tar file. Raises DataError for a broken one."""
    try:
        with tarfile.open(path) as tar:
            for member in tar:
                name = Path(member.name)
                if member.isfile() and name.suffix.lower() in SUFFIXES:
                    content = tar.extractfile(member)
                    assert content is not None
                    yield str(name.with_suffix("")), content.read()
    except BROKEN_TAR as error:
        raise broken_tar(path, error) from None


def decode(file: bytes | Path, size: int) -> np.ndarray | None:
    """A photo (height, width, 3) uint8 sRGB, upright, shrunk to a short side of `size` pixels.

    None for a file that is broken or that may not be read.
    """
    try:
        image = Image.fromarray(read_rgb(file))
    except PhotoError:
        return None
    return np.asarray(shrink(image, size))


def find_recipes(folder: Path) -> list[tuple[Path, Path]]:
    """Photos and the recipes beside them, in the order of the recipes' names.

    The recipe of NAME.EXT is NAME.json, NAME.recipe.json, or, as the editor saves it,
    NAME.HASH.recipe.json; there may be several. What is left over is counted on stderr. Raises
    DataError where there is no pair.
    """
    files = sorted(path for path in folder.rglob("[!.]*") if path.is_file())
    photos = [path for path in files if path.suffix.lower() in SUFFIXES]
    recipes = [p for p in files if p.suffix == ".json" and not p.name.endswith(".palette.json")]
    named = {photo.with_suffix(""): photo for photo in photos}
    found = []
    for recipe in recipes:
        begins = (recipe.with_name(re.sub(f"{end}$", "", recipe.name)) for end in RECIPES)
        if photo := next((named[begin] for begin in begins if begin in named), None):
            found.append((photo, recipe))
    if not found:
        raise DataError(
            f"{folder}: expected photos with recipes beside them, as photo.jpg and photo.json, "
            f"found {len(photos)} photos, {len(recipes)} recipes and no pair"
        )
    lonely, bare = len(recipes) - len(found), len(photos) - len({photo for photo, _ in found})
    if lonely or bare:
        skipped = f"skipped {lonely} recipes without a photo, {bare} photos without a recipe"
        tqdm.write(skipped, file=sys.stderr)
    return found


def hold_out(keys: list[str], share: float = 0.02) -> Tensor:
    """(photos,) bool: the photos kept for tuning, chosen by a hash of the key."""
    names = (key.encode(errors="surrogateescape") for key in keys)  # which may be no UTF-8
    digests = (hashlib.sha1(name).digest() for name in names)
    return torch.tensor([int.from_bytes(d[:4], "big") < share * 2**32 for d in digests])


def cut_squares(photos: PhotoSet, among: Tensor, side: int, count: int) -> list[np.ndarray]:
    """The upper left (side, side, 3) uint8 of the first photos that are so large, `count` at most.

    among: (photos,) bool, those to choose from
    """
    large = torch.minimum(photos.height, photos.width).cpu() >= side
    chosen = (among & large).nonzero()[:, 0][:count].tolist()
    return [photos.photo(i)[:side, :side] for i in chosen]

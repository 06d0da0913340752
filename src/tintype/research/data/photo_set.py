"""Photographs for training: from tar shards, folders or ImageNet's layout into memory, then crops.

A whole small set is held as uint8 on the training device and cropped and aged there, so that the
device never waits for a decoder.
"""

import glob
import hashlib
import io
import re
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from tintype.color import LUMA
from tintype.errors import DataError
from tintype.photo import SUFFIXES
from tintype.research.data import rng
from tintype.research.data.rng import Generators
from tintype.research.data.sources import BROKEN_TAR, broken_tar

RECIPES = (r"\.json", r"\.recipe\.json", r"\.[0-9a-f]{8}\.recipe\.json")  # the last: the editor's


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
    def of(photos: list[np.ndarray], keys: list[str]) -> "PhotoSet":
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
        classes = [key.rpartition("/")[0] for key in self.keys]
        number = number_classes(set(classes))
        return torch.tensor([number.get(name, -1) for name in classes])

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

    A folder that has no others beside it, such as a source with one class, tells nothing.
    """
    beside = Counter(name.rpartition("/")[0] for name in folders if name)
    telling = sorted(name for name in folders if name and beside[name.rpartition("/")[0]] > 1)
    return {name: i for i, name in enumerate(telling)}


def load(patterns: list[str], *, size: int = 128, limit: int | None = None) -> PhotoSet:
    """Read every photo that tar files, folders or glob patterns hold into memory.

    Photos whose short side exceeds `size` pixels are shrunk to it; unreadable ones are skipped
    and counted on stderr. Raises DataError where nothing is found.
    """
    photos, keys, bad = [], [], 0
    with ThreadPoolExecutor() as pool:
        members = _read_photos(patterns)
        bar = tqdm(desc="reading photos", unit=" photos", disable=None, total=limit)
        while batch := list(islice(members, 512)):
            decoded = pool.map(lambda item: decode(item[1], size), batch)
            for (key, _), rgb in zip(batch, decoded, strict=True):
                if rgb is None:
                    bad += 1
                else:
                    photos.append(rgb)
                    keys.append(key)
            bar.update(len(batch))
            if limit and len(photos) >= limit:
                photos, keys = photos[:limit], keys[:limit]
                break
        bar.close()
    if not photos:
        raise DataError(f"{' '.join(patterns)}: expected photos or tar files of photos, found none")
    if bad:
        tqdm.write(f"skipped {bad} unreadable photos", file=sys.stderr)
    return PhotoSet.of(photos, keys)


def _read_photos(patterns: list[str]) -> Iterator[tuple[str, bytes]]:
    """Every photo's key and file content, in a fixed order."""
    for pattern in patterns:
        paths = sorted(glob.glob(pattern)) or [pattern]
        for path in map(Path, paths):
            if path.is_dir():
                for file in sorted(path.rglob("*")):
                    if file.suffix.lower() in SUFFIXES and file.is_file():
                        yield str(file.relative_to(path).with_suffix("")), file.read_bytes()
            elif path.suffix.lower() in SUFFIXES and path.is_file():
                yield str(path.with_suffix("")), path.read_bytes()
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


def decode(content: bytes, size: int) -> np.ndarray | None:
    """A photo (height, width, 3) uint8, shrunk to a short side of `size`; None for broken ones."""
    try:
        file = Image.open(io.BytesIO(content))
        file.draft("RGB", (size, size))
        image = file.convert("RGB")
    except Exception:  # Pillow's decoders raise whatever the broken bytes provoke
        return None
    short = min(image.size)
    if short > size:
        scaled = [max(size, round(side * size / short)) for side in image.size]
        image = image.resize((scaled[0], scaled[1]), Image.Resampling.BOX)
    return np.asarray(image)


def find_recipes(folder: Path) -> list[tuple[Path, Path]]:
    """Photos and the recipes beside them, in the order of the recipes' names.

    The recipe of NAME.EXT is NAME.json, NAME.recipe.json, or, as the editor saves it,
    NAME.XXXXXXXX.recipe.json; there may be several. What is left over is counted on stderr. Raises
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
    digests = (hashlib.sha1(key.encode()).digest() for key in keys)
    return torch.tensor([int.from_bytes(d[:4], "big") < share * 2**32 for d in digests])


def cut_squares(photos: PhotoSet, among: Tensor, side: int, count: int) -> list[np.ndarray]:
    """The upper left (side, side, 3) uint8 of the first photos that are so large, `count` at most.

    among: (photos,) bool, those to choose from
    """
    large = torch.minimum(photos.height, photos.width).cpu() >= side
    chosen = (among & large).nonzero()[:, 0][:count].tolist()
    return [photos.photo(i)[:side, :side] for i in chosen]


def cut_crops(
    photos: PhotoSet, index: Tensor, size: int, generators: Generators
) -> tuple[Tensor, Tensor]:
    """Random square crops, mirrored at random, and where in the photos they lie.

    index: (batch,) which photos
    Returns (batch, size, size, 3) RGB, 0..1, and (batch, 4) left, top, right and bottom in -1..1 of
    the photo; the right of a mirrored crop is the smaller.

    A photo at least twice as large as the crop is taken at half
    its scale every other time, by averaging 2 x 2 pixels; one smaller than the crop is enlarged
    to twice its size, so that what small photos show is learned at the scale of large ones too.
    """
    rgb, boxes = _cut_at_size(photos, index, size, generators)
    small = torch.minimum(photos.height, photos.width)[index] < size
    if small.any():
        cut, boxes[small] = _cut_at_size(
            photos, index[small], size // 2, rng.select(generators, small)
        )
        cut = F.interpolate(cut.permute(0, 3, 1, 2), scale_factor=2, mode="bilinear")
        rgb[small] = cut.permute(0, 2, 3, 1)
    return rgb, boxes


def _cut_at_size(
    photos: PhotoSet, index: Tensor, size: int, generators: Generators
) -> tuple[Tensor, Tensor]:
    """Crops that are pixels of the photos, or means of 2 x 2 of them, borders repeated; boxes."""
    device = photos.pixels.device

    def draw() -> Tensor:
        return rng.uniform(generators, len(index)).to(device)

    height, width = photos.height[index], photos.width[index]
    half = (torch.minimum(height, width) >= 2 * size) & (draw() < 0.5)
    scale = 1 + half.long()
    top = (draw() * (height - size * scale + 1).clamp(min=1)).long()
    left = (draw() * (width - size * scale + 1).clamp(min=1)).long()
    steps = torch.arange(size, device=device)
    plain = draw() < 0.5
    columns = torch.where(plain[:, None], steps, size - 1 - steps)

    def take(rows: Tensor, down: int, across: int) -> Tensor:
        """Pixels (rows, size, size, 3) of the photos that `rows` picks from the batch."""
        bottom, right = height[rows, None] - 1, width[rows, None] - 1
        y = torch.minimum(top[rows, None] + steps * scale[rows, None] + down, bottom)
        x = torch.minimum(left[rows, None] + columns[rows] * scale[rows, None] + across, right)
        first = photos.offset[index[rows], None] + y * width[rows, None]
        flat = (first[:, :, None] + x[:, None, :]).reshape(-1)
        return photos.pixels.index_select(0, flat).view(len(rows), size, size, 3).float() / 255

    rgb = take(torch.arange(len(index), device=device), 0, 0)
    rows = half.nonzero()[:, 0]
    rgb[rows] = (rgb[rows] + take(rows, 0, 1) + take(rows, 1, 0) + take(rows, 1, 1)) / 4
    right = left + size * scale
    ends = torch.stack(
        [left.where(plain, right), top, right.where(plain, left), top + size * scale]
    )
    return rgb, (2 * ends / torch.stack([width, height, width, height]) - 1).T


def augment_gray(rgb: Tensor, generators: Generators) -> Tensor:
    """Gray photographs as old cameras and scanners made them, from color ones.

    rgb: (batch, h, w, 3), 0..1. Returns (batch, 1, h, w), 0..1. Half of the photos are plain
    Rec. 601 luma; the others mix the channels at random (orthochromatic emulsions are blind to
    red), and some of all are faded, blurred, grainy or compressed.
    """
    batch = len(rgb)

    def draw(*shape: int) -> Tensor:
        return rng.uniform(generators, batch, *shape).to(rgb.device)

    def some(share: float, changed: Tensor, plain: Tensor) -> Tensor:
        return torch.where(draw(1, 1, 1) < share, changed, plain)

    standard = torch.tensor(LUMA, device=rgb.device)
    free = draw(3) + 0.05
    free = free / free.sum(1, keepdim=True)
    weights = torch.where(draw(1) < 0.5, standard, 0.5 * standard + 0.5 * free)
    gray = torch.einsum("bhwc,bc->bhw", rgb, weights)[:, None]
    gray = some(0.3, gray ** torch.exp(0.6 * (draw(1, 1, 1) - 0.5)), gray)
    low, span = 0.25 * draw(1, 1, 1), 0.65 + 0.35 * draw(1, 1, 1)
    gray = some(0.3, low + (1 - low) * gray * span, gray)
    blurred = F.avg_pool2d(F.pad(gray, (1, 1, 1, 1), mode="replicate"), 3, 1)
    gray = some(0.15, gray + draw(1, 1, 1) * (blurred - gray), gray)
    noise = rng.normal(generators, *gray.shape).to(rgb.device)
    gray = some(0.2, gray + 0.03 * draw(1, 1, 1) * noise, gray)
    gray = some(0.15, _compress(gray, 0.01 + 0.03 * draw(1, 1, 1)), gray)
    return gray.clamp(0, 1)


def _compress(gray: Tensor, step: Tensor) -> Tensor:
    """What JPEG does: the cosine transform of every 8 x 8 block, quantized in growing steps."""
    k = torch.arange(8, device=gray.device)
    basis = torch.cos((2 * k[None, :] + 1) * k[:, None] * torch.pi / 16) / 2
    basis[0] /= 2**0.5
    waves = torch.einsum("ui,vj->uvij", basis, basis).reshape(64, 1, 8, 8)
    steps = step * (1 + k[:, None] + k[None, :]).reshape(64, 1, 1)
    strength = torch.round(F.conv2d(gray, waves, stride=8) / steps) * steps
    return F.conv_transpose2d(strength, waves, stride=8)

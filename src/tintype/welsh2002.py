"""Colors from a reference photo (Welsh, Ashikhmin & Mueller 2002), without any model.

    reference ─▶ jittered samples: lightness, deviation around, chroma
                        │
    gray photo ─▶ lightness, deviation around ─▶ nearest sample ─▶ its chroma

Where the authors work in Ruderman's l-alpha-beta, this works in OKLab, whose chroma the rest of the
package understands: L of a gray is found from its luma, and a and b are what is transferred.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from tintype.bins import OKLAB, chroma_of, has_hue
from tintype.border import find_neutral, keep_neutral
from tintype.color import oklab_of_luma, rgb_to_oklab
from tintype.errors import PaletteError, PhotoError
from tintype.photo import DEFAULT_MAX_PIXELS, Photo, Source, read
from tintype.result import Result, in_gamut
from tintype.working_size import read_small, shrink

Box = tuple[float, float, float, float]  # left, top, right, bottom, as shares of the photo, 0..1

SIDE = 256  # the shorter side of what is matched: textures of about 1/50 of a photo
MEAN_OF = 4  # colors are averaged over so many pixels each way: single matches speckle
SAMPLES = 256  # of the whole reference; the authors find about 200 enough
SWATCH_SAMPLES = 50  # of each swatch
AROUND = 5  # side of the neighborhood, pixels
_ROWS = 1 << 14  # pixels compared with all samples at a time


@dataclass(frozen=True)
class Swatch:
    """Take the colors of one box of the photo from one box of the reference, or give it one color.

    reference: a box, or a color, as `bins.chroma_of` takes them; gray among them
    Raises PaletteError where a box is empty or leaves its photo, or there is no such color.
    """

    photo: Box
    reference: Box | str

    def __post_init__(self) -> None:
        boxes = [self.photo]
        if isinstance(self.reference, str):
            chroma_of(self.reference)
        else:
            boxes.append(self.reference)
        for box in boxes:
            left, top, right, bottom = box
            if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
                raise PaletteError(
                    f"expected a swatch LEFT,TOP,RIGHT,BOTTOM in shares of the photo, found {box}"
                )


def colorize(
    photo: Source | Photo,
    reference: Source,
    swatches: Sequence[Swatch] = (),
    *,
    seed: int = 0,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    threads: int | None = None,
) -> Result:
    """Color a photo like a color photo of a similar scene, by lightness and texture.

    photo: a path, a file's bytes, a binary file, a PIL image, an array or a Photo
    reference: the same, with colors, so no Photo; at a similar scale, because textures count
    swatches: boxes that belong together; without any, the whole photos are matched
    seed: of the jitter of the samples
    max_pixels: of either photo
    threads: how many processors enlarge the colors; all by default
    Raises PhotoError where one is not a photo, or the reference is gray. Source: Welsh, Ashikhmin &
    Mueller 2002, "Transferring Color to Greyscale Images", sections 2.1 and 2.2.
    """
    photo = photo if isinstance(photo, Photo) else read(photo, max_pixels=max_pixels)
    colors = read_reference(reference, max_pixels=max_pixels) / 255
    small = shrink(Image.fromarray(photo.luma), SIDE)
    ab = transfer(np.asarray(small) / 255, colors, swatches, seed=seed)
    high, wide = ab.shape[0] // MEAN_OF, ab.shape[1] // MEAN_OF
    ab = ab.reshape(high, MEAN_OF, wide, MEAN_OF, 2).mean((1, 3))
    luma = np.asarray(small.reduce(MEAN_OF), dtype=np.float32) / 255
    border = find_neutral(np.asarray(small), photo.missing)
    chroma, shown = in_gamut(luma, keep_neutral(ab, border), OKLAB)
    return Result(photo, chroma, shown, threads=threads, border=border)


def read_reference(source: Source, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> np.ndarray:
    """A reference at the size that is matched, so that it is read once for many photos.

    Returns (h, w, 3) uint8 sRGB, which `colorize` takes too. Raises PhotoError where it is not a
    photo, or is gray and so has no colors to give.
    """
    rgb = read_small(source, SIDE, max_pixels=max_pixels)
    if (rgb == rgb[..., :1]).all():
        name = os.fspath(source) if isinstance(source, (str, os.PathLike)) else "the reference"
        raise PhotoError(f"{name}: expected a photo with colors, found a gray one; name another")
    return rgb


def transfer(
    luma: np.ndarray, reference: np.ndarray, swatches: Sequence[Swatch] = (), *, seed: int = 0
) -> np.ndarray:
    """The chroma that a gray photo gets from a color photo of a similar scene.

    luma: (h, w), 0..1, at the size that is matched, a few hundred pixels
    reference: (rows, columns, 3) RGB, 0..1, at a similar scale, because textures are compared
    swatches: without any, the whole photo is matched with the whole reference; with some, each
        box of the photo is matched with its box of the reference, or has its color, and what lies
        outside of them is matched with the boxes of the photo itself
    seed: of the jitter of the samples
    Returns (h, w, 2) float32 OKLab a and b, each pair one of the reference's pixels.
    """
    rng = np.random.default_rng(seed)
    gray = oklab_of_luma(luma, np.zeros((*luma.shape, 2)))[..., 0]
    lab = rgb_to_oklab(np.asarray(reference, dtype=np.float64))
    if not swatches:
        return _match(gray, lab, SAMPLES, rng)
    chroma = np.zeros((*luma.shape, 2), dtype=np.float32)
    done = np.zeros(luma.shape, dtype=bool)
    for swatch in swatches:
        here = _window(swatch.photo, luma.shape)
        if isinstance(swatch.reference, str):
            chroma[here] = chroma_of(swatch.reference) if has_hue(swatch.reference) else 0
        else:
            there = _window(swatch.reference, lab.shape[:2])
            chroma[here] = _match(gray[here], lab[there], SWATCH_SAMPLES, rng)
        done[here] = True
    chroma[~done] = _grown(gray, chroma, done, len(swatches) * SWATCH_SAMPLES, rng)[~done]
    return chroma


def _match(gray: np.ndarray, lab: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Section 2.1: the chroma (h, w, 2) of the sample most alike in lightness and deviation.

    gray: (h, w) lightness; lab: (rows, columns, 3) of the reference. Both features weigh the same.
    """
    light = _remap(lab[..., 0], gray)
    rows, columns = _jitter(light.shape, count, rng)
    samples = np.stack([light, _deviation(light)], -1)[rows, columns]
    pixels = np.stack([gray, _deviation(gray)], -1).reshape(-1, 2)
    chroma = lab[rows, columns, 1:][_nearest(pixels, samples)]
    return np.asarray(chroma.reshape(*gray.shape, 2), dtype=np.float32)


def _grown(
    gray: np.ndarray,
    chroma: np.ndarray,
    done: np.ndarray,
    count: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Section 2.2: the chroma (h, w, 2) of the colored pixel with the most similar surroundings.

    done: (h, w) bool, which pixels are colored. Surroundings are compared lightness by lightness.
    """
    patches = _neighborhoods(gray).reshape(gray.size, -1)
    colored = np.flatnonzero(done)
    samples = rng.choice(colored, min(count, len(colored)), replace=False)
    nearest = samples[_nearest(patches, patches[samples])]
    return np.asarray(chroma.reshape(-1, 2)[nearest].reshape(chroma.shape))


def _remap(light: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Lightness shifted and scaled to the mean and the deviation of another photo's."""
    spread = light.std()
    scale = like.std() / spread if spread > 1e-6 else 1.0
    return np.asarray((light - light.mean()) * scale + like.mean())


def _jitter(
    shape: tuple[int, ...], count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of about `count` pixels, one at random in each cell of a grid."""
    high, wide = shape[:2]
    down = min(high, max(1, round((count * high / wide) ** 0.5)))
    across = min(wide, max(1, round(count / down)))
    y, x = np.mgrid[0:down, 0:across].reshape(2, -1)
    jitter = rng.random((2, down * across))
    return ((y + jitter[0]) * high / down).astype(int), ((x + jitter[1]) * wide / across).astype(
        int
    )


def _neighborhoods(plane: np.ndarray) -> np.ndarray:
    """(h, w, 5, 5) views of what is around every pixel of (h, w), mirrored at the borders."""
    padded = np.pad(plane, AROUND // 2, mode="reflect")
    return np.lib.stride_tricks.sliding_window_view(padded, (AROUND, AROUND))


def _deviation(plane: np.ndarray) -> np.ndarray:
    """(h, w) standard deviation of every pixel's neighborhood."""
    return np.asarray(_neighborhoods(plane).std(axis=(2, 3)))


def _nearest(points: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """(points,) the index of the sample at the smallest Euclidean distance of each point."""
    size = (samples**2).sum(1)
    parts = np.split(points, range(_ROWS, len(points), _ROWS))
    return np.concatenate([(size - 2 * part @ samples.T).argmin(1) for part in parts])


def _window(box: Box, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The rows and columns, one at least, of a box of a photo of a shape."""
    left, top, right, bottom = box

    def part(start: float, end: float, side: int) -> slice:
        first = min(int(start * side), side - 1)
        return slice(first, max(first + 1, round(end * side)))

    return part(top, bottom, shape[0]), part(left, right, shape[1])

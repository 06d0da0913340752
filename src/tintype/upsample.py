"""Chroma to full size: small planes follow the luma's edges, then are scaled into gamut.

    small chroma ──restore──▶ upsample, level by level ──▶ layers ──▶ bilinear ──▶ gamut ──▶ cb, cr
                      ▲                 ▲                                            ▲
                      └── luma, shrunk ─┘                                 luma, never changed

No color leaves the range of its neighbors in the small planes, and the result, joined to the luma
by `Image.merge("YCbCr", ...)`, turns gray again as the photo that came in. A large photo's chroma
has no detail that planes of half its size would not hold: a JPEG stores such (4:2:0).
"""

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from PIL import Image

from tintype.layers import Layer

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
Shorts = npt.NDArray[np.int16]

BILINEAR = Image.Resampling.BILINEAR

GUIDE_PIXELS = 500_000
"""Edges guide up to this size: a screenful. Twice as much would double the slowest float work."""

HALVED_PIXELS = 4 * GUIDE_PIXELS
"""From here on, halved planes hold all that edges guide."""

STRIP_PIXELS = 1 << 17
"""Work is cut into strips: small enough for a core's cache, so large that calls cost little."""

# How much a neighbor counts by its difference in luma. The tail is exponential, because chroma
# often changes with a small step in luma; the floor falls back to plain bilinear where nothing near
# resembles the pixel, so that grain and specks pick no colors of their own.
RANGE_WEIGHT: Floats = (np.exp(-np.arange(256) / 12) + 0.03).astype(np.float32)


class _Pool(ThreadPoolExecutor):
    """Threads that know how many they are."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.threads = threads


def upsample(
    chroma: Floats,
    luma: Bytes,
    *,
    guided: bool = True,
    guide_pixels: int = GUIDE_PIXELS,
    halved: bool = False,
    layers: Sequence[Layer] = (),
    threads: int | None = None,
) -> tuple[Bytes, Bytes]:
    """Enlarge small chroma planes to the photo's size, along the luma's edges and inside the gamut.

    chroma: (2, h, w), Cb and Cr centered on 0, -128..127 in units of 1/255, area means of the photo
    luma: (H, W), 0..255, any size, never changed
    guided: False enlarges by plain bilinear interpolation, without layers
    guide_pixels: the size, H * W, up to which edges guide; plain bilinear from there
    halved: planes of half the size, rounded up, in gamut with each of the pixels that share a value
    layers: colors over parts of it, one after the other
    threads: how many strips are worked on at once; None for one per core
    returns: Cb and Cr, each (H, W), 0..255 centered on 128, for `Image.merge("YCbCr", ...)`

    Raises ValueError for arrays of another shape or dtype, for empty ones and for infinite chroma.
    Source: Kopf et al. 2007, "Joint Bilateral Upsampling", eq. 3, applied level by level.
    """
    _check(chroma, luma)
    full = luma.shape[0], luma.shape[1]
    with _Pool(threads or os.cpu_count() or 1) as pool:
        # A photo smaller than the planes needs no guide, just the means of larger areas.
        chroma = _resize(chroma, (min(chroma.shape[1], full[0]), min(chroma.shape[2], full[1])))
        if guided:
            size = _guide_size(chroma.shape[1:], full, guide_pixels)
            guide = _shrink(_shrink_rows(luma, size[0], pool) if halved else luma, size)
            chroma = _upsample(_restore(chroma, guide, pool), guide, pool)
            for layer in layers:
                chroma = layer.lay(chroma, _upsample_shares(layer, guide, pool), guide)
        return _finish(chroma, luma, pool, 2 if halved else 1)


def upsample_shares(layer: Layer, luma: Bytes, *, threads: int | None = None) -> Floats:
    """A layer's shares as `upsample` lays them: (n, h, w), 0..1, where edges guide.

    luma: (H, W), 0..255; it is shrunk to `GUIDE_PIXELS`
    """
    full = luma.shape[0], luma.shape[1]
    with _Pool(threads or os.cpu_count() or 1) as pool:
        guide = _shrink(luma, _guide_size(layer.shares.shape[1:], full, GUIDE_PIXELS))
        return _upsample_shares(layer, guide, pool)


def fit_gamut(
    luma: npt.ArrayLike, cb: Floats, cr: Floats, brightest: npt.ArrayLike | None = None
) -> tuple[Floats, Floats]:
    """Scale chroma towards gray, its hue kept, where luma and chroma together leave the RGB cube.

    luma: any shape, 0..255
    cb, cr: the same shape, centered on 0, in units of 1/255
    brightest: the same shape, 0..255, where pixels share chroma and `luma` is that of the darkest
    returns: cb and cr, scaled by one common factor per pixel, 0..1
    Source: the full-range BT.601 matrix of JPEG (ITU-T T.871, section 7).
    """
    dark = np.asarray(luma, np.float32)
    bright = 255 - (dark if brightest is None else np.asarray(brightest, np.float32))
    red, green, blue = 1.402 * cr, -0.344136 * cb - 0.714136 * cr, 1.772 * cb
    above = np.maximum(np.maximum(red, green), blue)
    below = -np.minimum(np.minimum(red, green), blue)
    # Divisors are at least the room there is, so both factors end at 1; at least tiny, for gray.
    scale = bright / np.maximum(np.maximum(above, bright), 1e-6)
    scale = np.minimum(scale, dark / np.maximum(np.maximum(below, dark), 1e-6))
    return cb * scale, cr * scale


def _check(chroma: Floats, luma: Bytes) -> None:
    if chroma.ndim != 3 or len(chroma) != 2 or chroma.dtype != np.float32 or not chroma.size:
        raise ValueError(f"chroma must be float32 (2, h, w), got {chroma.dtype} {chroma.shape}")
    if luma.ndim != 2 or luma.dtype != np.uint8 or not luma.size:
        raise ValueError(f"luma must be uint8 (H, W), got {luma.dtype} {luma.shape}")
    if not np.isfinite(chroma).all():
        raise ValueError("chroma must be finite, got NaN or infinity; check the model's output")


# --- along the luma's edges ---------------------------------------------------------------------


def _guide_size(small: tuple[int, ...], full: tuple[int, int], pixels: int) -> tuple[int, int]:
    """The photo's size, shrunk to at most `pixels`, yet no side below the small planes'."""
    shrink = min(1.0, math.sqrt(pixels / (full[0] * full[1])))
    return max(small[0], round(full[0] * shrink)), max(small[1], round(full[1] * shrink))


def _restore(chroma: Floats, guide: Bytes, pool: _Pool) -> Floats:
    """Undo the blur of area means: one step of back-projection, kept in each 3x3 patch's range.

    Source: Irani & Peleg 1991, "Improving Resolution by Image Registration".
    """
    _, h, w = chroma.shape
    # A trial at four times the planes' size tells nearly all, at a third of a full one's cost.
    guide = _shrink(guide, (min(4 * h, guide.shape[0]), min(4 * w, guide.shape[1])))
    lost = chroma - _resize(_upsample(chroma, guide, pool), (h, w))
    padded = np.pad(chroma, ((0, 0), (1, 1), (1, 1)), mode="edge")
    patches = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return np.clip(chroma + lost, patches.min(axis=(3, 4)), patches.max(axis=(3, 4)))


def _upsample_shares(layer: Layer, guide: Bytes, pool: _Pool) -> Floats:
    """A layer's shares (n, H, W) at the guide's size, along its edges, or along their own."""
    high, wide = guide.shape
    if layer.fine:
        images = map(Image.fromarray, layer.shares)
        return np.stack([np.asarray(i.resize((wide, high), BILINEAR)) for i in images])
    _, h, w = layer.shares.shape
    small = _resize(layer.shares, (min(h, high), min(w, wide)))
    return layer.pin_down(_upsample(small, guide, pool))


def _upsample(chroma: Floats, guide: Bytes, pool: _Pool) -> Floats:
    """Enlarge to the guide's size in even steps of at most two."""
    (h, w), (H, W) = chroma.shape[1:], guide.shape
    levels = math.ceil(math.log2(max(H / h, W / w)))
    near = _shrink(guide, (h, w))
    for i in range(1, levels + 1):
        far = _shrink(
            guide, (round(h * (H / h) ** (i / levels)), round(w * (W / w) ** (i / levels)))
        )
        chroma, near = _upsample_once(chroma, near, far, pool), far
    return chroma


def _upsample_once(chroma: Floats, near: Bytes, far: Bytes, pool: _Pool) -> Floats:
    """Mean of the four nearest coarse colors, weighted by distance and by likeness in luma.

    chroma: (n, h, w); near: (h, w), luma at that size; far: (H, W), luma at the new size
    returns: (n, H, W), every value between those of its four neighbors
    """
    rows, across = _taps(near.shape[0], far.shape[0]), _taps(near.shape[1], far.shape[1])
    columns = [(chroma.take(i, axis=2), near.take(i, axis=1), weight) for i, weight in across]
    result = np.zeros((len(chroma), *far.shape), np.float32)

    def strip(part: slice) -> None:
        total = np.zeros(far[part].shape, np.float32)
        for i, down in rows:
            for color, light, along in columns:
                neighbor = light[i[part]]
                unlike = np.maximum(far[part], neighbor)
                unlike -= np.minimum(far[part], neighbor, out=neighbor)
                weight = RANGE_WEIGHT.take(unlike, mode="clip")
                weight *= along
                weight *= down[part, None]
                total += weight
                for plane in range(len(chroma)):
                    result[plane, part] += weight * color[plane, i[part]]
        result[:, part] /= total

    _in_strips(strip, far.shape, pool)
    return result


def _taps(small: int, large: int) -> list[tuple[npt.NDArray[np.intp], Floats]]:
    """Bilinear interpolation along one axis: two (index, weight) pairs, each (large,)."""
    place = (np.arange(large) + 0.5) * small / large - 0.5
    first = np.floor(place).astype(np.intp)
    second = (place - first).astype(np.float32)
    return [(first.clip(min=0), 1 - second), ((first + 1).clip(max=small - 1), second)]


# --- to full size, in gamut -----------------------------------------------------------------------


def _finish(chroma: Floats, luma: Bytes, pool: _Pool, step: int) -> tuple[Bytes, Bytes]:
    """Bilinear to the luma's size, or half of it if `step` is 2, then into gamut, by strips."""
    height, width = (-(-side // step) for side in luma.shape)
    small = np.rint(chroma).clip(-128, 127).astype(np.int16)
    wide = list(pool.map(lambda plane: _widen(plane, width), small))
    (upper, _), (lower, weight) = _taps(small.shape[1], height)
    # In 128ths, so that the widest difference, 255, times the weight still fits 16 bits.
    share = np.rint(weight * 128).astype(np.int16)[:, None]
    planes = np.empty((2, height, width), np.uint8)

    def strip(part: slice) -> None:
        full = []
        for plane in wide:
            above, change = plane[upper[part]], plane[lower[part]]
            change -= above
            change *= share[part]
            change += np.int16(64)
            change >>= 7
            above += change
            full.append(above)
        tones = luma[step * part.start : step * part.stop]
        _fit_strip(*(_find_range(tones) if step == 2 else (tones, tones)), *full)
        for plane, result in zip(full, planes, strict=True):
            plane += np.int16(128)
            result[part] = plane

    _in_strips(strip, (height, width), pool)
    return planes[0], planes[1]


def _find_range(luma: Bytes) -> tuple[Shorts, Shorts]:
    """The least and the largest of every 2 x 2 pixels, each of half the size, rounded up."""
    odd = [(0, side % 2) for side in luma.shape]
    luma = np.pad(luma, odd, mode="edge") if any(map(any, odd)) else np.ascontiguousarray(luma)
    ranges = []
    for choose in (np.minimum, np.maximum):
        pairs = choose(luma[::2], luma[1::2]).view(np.int16)  # two bytes of either order
        ranges.append(choose(pairs & np.int16(255), (pairs >> 8) & np.int16(255)))
    return ranges[0], ranges[1]


def _widen(plane: Shorts, width: int) -> Shorts:
    """Bilinear along the rows, (h, w) -> (h, width), by Pillow's bytes."""
    image = Image.fromarray((plane + 128).astype(np.uint8))
    wide = image.resize((width, len(plane)), BILINEAR)
    return np.asarray(wide).astype(np.int16) - np.int16(128)


def _fit_strip(dark: Bytes | Shorts, bright: Bytes | Shorts, cb: Shorts, cr: Shorts) -> None:
    """Scale into gamut, in place, the few pixels that a test in whole numbers finds outside."""
    outside = np.flatnonzero(_leaves_gamut(dark, bright, cb, cr))
    flat = [plane.reshape(-1) for plane in (dark, cb, cr, bright)]
    fitting = fit_gamut(*(plane[outside].astype(np.float32) for plane in flat))
    for plane, fitted in zip(flat[1:3], fitting, strict=True):
        plane[outside] = fitted  # cut off towards gray: rounded up, it could leave the cube again


def _leaves_gamut(
    dark: Bytes | Shorts, bright: Bytes | Shorts, cb: Shorts, cr: Shorts
) -> npt.NDArray[np.bool_]:
    """Which pixels leave the RGB cube, give or take 1.4 levels of rounding.

    So little moves luma by one level at most, and whole numbers are far cheaper than `fit_gamut`.
    """
    red, green, blue = cr * np.int16(103), cb * np.int16(44), cb * np.int16(198)
    green += cr * np.int16(91)
    np.negative(green, out=green)
    red >>= 8
    green >>= 7
    blue >>= 8
    red += cr
    blue += cb
    above = np.maximum(red, blue)
    np.maximum(above, green, out=above)
    above += bright
    np.minimum(red, blue, out=red)
    np.minimum(red, green, out=red)
    red += dark
    outside: npt.NDArray[np.bool_] = above > 255
    outside |= red < 0
    return outside


# --- plumbing -------------------------------------------------------------------------------------


def _resize(planes: Floats, size: tuple[int, int]) -> Floats:
    """Area means of float planes, (n, h, w) -> (n, *size)."""
    if planes.shape[1:] == size:
        return planes
    images = (Image.fromarray(np.ascontiguousarray(plane)) for plane in planes)
    return np.stack([np.asarray(i.resize(size[::-1], Image.Resampling.BOX)) for i in images])


def _shrink(luma: Bytes, size: tuple[int, int]) -> Bytes:
    """Area means of a luma plane, (H, W) -> size."""
    if luma.shape == size:
        return luma
    # No `reducing_gap`: at 1 it is twice as fast, but areas shift by up to half a pixel, and two
    # fifths of the gain at a strong edge are lost.
    return np.asarray(Image.fromarray(luma).resize(size[::-1], Image.Resampling.BOX))


def _shrink_rows(luma: Bytes, height: int, pool: _Pool) -> Bytes:
    """Area means over rows, (H, W) -> (height, W): half of what `_shrink` does, in half the time.

    `_shrink` has columns first, and rounds twice: most means are the same, others differ by 1.
    """
    edges = (2 * np.arange(height + 1) * len(luma) + height) // (2 * height)  # rounded to rows
    first, count = edges[:-1], np.diff(edges)
    least = int(count.min())
    means = np.empty((height, luma.shape[1]), np.uint8)

    def strip(part: slice) -> None:
        top = first[part]
        total = luma[top].astype(np.uint16)  # no JPEG has so many rows that the sum would not fit
        for i in range(1, least):
            total += luma[top + i]
        more = np.flatnonzero(count[part] > least)
        total[more] += luma[top[more] + least]
        means[part] = total * (1 / count[part, None]).astype(np.float32) + np.float32(0.5)

    _in_strips(strip, means.shape, pool)
    return means


def _in_strips(work: Callable[[slice], None], size: tuple[int, ...], pool: _Pool) -> None:
    """Run `work` on strips of whole rows, side by side; NumPy and Pillow let go of the GIL."""
    rows = max(1, min(STRIP_PIXELS // size[1], -(-size[0] // pool.threads)))
    parts = [slice(top, min(top + rows, size[0])) for top in range(0, size[0], rows)]

    def work_some(first: int) -> None:
        for part in parts[first :: pool.threads]:
            work(part)

    list(pool.map(work_some, range(pool.threads)))  # a task a strip would cost a sixth more

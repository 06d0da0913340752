"""What a ban forbids in colors that come out of a model.

chroma ──banned hues fade──▶ ──where gray is banned, what is too pale is lifted──▶ chroma
"""

import numpy as np
from PIL import Image

from tintype.color import hsv_to_rgb, hue_degrees, hue_distance, rgb_to_oklab
from tintype.palette import BAN_WIDTH, Palette

AROUND = 12  # parts of a photo's side, each way, of which each is one surrounding
BRIGHT = 0.9  # V of HSV at which its colors become OKLab's, as in `bins.hex_at`
FADE = (BAN_WIDTH - 2, BAN_WIDTH + 4)  # degrees from a banned hue: nothing of it .. all of it


def apply_bans(ab: np.ndarray, plane: np.ndarray, palette: Palette) -> np.ndarray:
    """Take out what the mean of allowed colors brought back of what a palette bans.

    ab: (h, w, 2) OKLab chroma; plane: (h, w, 2) the same colors in the plane of the palette's bins
    A banned hue fades. Where gray is banned, no chroma is left under that of the palest ring: what
    is paler keeps its hue, or gets the nearest one that is allowed.
    """
    faded = _fade_hues(ab, plane, palette.banned)
    return _lift(faded, plane, palette) if palette.bans_gray else faded


def _fade_hues(ab: np.ndarray, plane: np.ndarray, banned: tuple[float, ...]) -> np.ndarray:
    """Chroma (h, w, 2) without the colors near banned hues, degrees in the plane."""
    start, end = FADE
    for hue in banned:
        away = hue_distance(hue_degrees(plane), hue)
        keep = np.clip((away - start) / (end - start), 0.0, 1.0)
        ab = ab * keep[..., None].astype(np.float32)
    return ab


def _lift(ab: np.ndarray, plane: np.ndarray, palette: Palette) -> np.ndarray:
    """Chroma (h, w, 2) whose pale parts have the palest ring's, in a hue that is allowed.

    The paler a color, the more its hue is that of what is around, and of the palette where all is
    neutral: a hue of next to no chroma is chance, and would come out in blotches.
    """
    bins, least = palette.bins, palette.bins.chromas[0]
    pale = _strength(_fade_hues(plane, plane, palette.banned)) < least
    around = _blur(plane) + 1e-3 * _main_color(palette)
    around *= least / np.maximum(_strength(around), 1e-9)[..., None]
    own = np.minimum(_strength(plane) / least, 1)[..., None]
    hue = hue_degrees((plane + (1 - own) * around)[pale])
    hue = np.radians(_nearest_allowed(hue, palette.banned))
    lifted = least * np.stack([np.cos(hue), np.sin(hue)], axis=-1)
    if bins.plane == "hsv":
        full = np.ones_like(hue)
        hsv = np.stack([hue / (2 * np.pi), least * full, BRIGHT * full], axis=-1)
        lifted = np.asarray(rgb_to_oklab(hsv_to_rgb(hsv)))[..., 1:]
    whole = ab.copy()
    whole[pale] = lifted
    return whole


def _blur(plane: np.ndarray) -> np.ndarray:
    """(h, w, 2) of which every pixel is a mean over about an `AROUND`th of the photo's side."""
    size = plane.shape[1::-1]

    def blur(part: np.ndarray) -> np.ndarray:
        image = Image.fromarray(np.ascontiguousarray(part, dtype=np.float32))
        coarse = image.resize((AROUND, AROUND), Image.Resampling.BOX)
        return np.asarray(coarse.resize(size, Image.Resampling.BICUBIC))

    return np.stack([blur(plane[..., 0]), blur(plane[..., 1])], axis=-1)


def _nearest_allowed(hue: np.ndarray, banned: tuple[float, ...]) -> np.ndarray:
    """Each hue (n,) in degrees, or the nearest of those so far from the banned that none fades."""
    if not banned:
        return hue
    degrees = np.arange(360.0)
    room = hue_distance(degrees[:, None], np.array(banned)).min(axis=1)
    free = room >= min(FADE[1], room.max())
    allowed = degrees[free]
    nearest = allowed[hue_distance(degrees[:, None], allowed).argmin(axis=1)]
    whole = np.floor(hue).astype(int) % 360
    return np.where(free[whole], hue, nearest[whole])


def _main_color(palette: Palette) -> np.ndarray:
    """(2,) the mean color of a palette, of chroma 1; the largest's where the mean is neutral."""
    mean = palette.shares @ palette.bins.centers
    if np.hypot(*mean) < 1e-4:
        mean = palette.bins.centers[1 + int(palette.shares[1:].argmax())]
    return np.asarray(mean / np.hypot(*mean))


def _strength(ab: np.ndarray) -> np.ndarray:
    return np.asarray(np.hypot(ab[..., 0], ab[..., 1]))

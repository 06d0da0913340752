"""Pages of text, which are no photos: a hint for who has them among a folder of scans."""

import numpy as np

_SIDE = 640  # of what is looked at: every so manieth pixel, at most so many on the longer side
_BLOCK = 16
_PAPER, _LIGHT = 110, 0.85  # luma of paper, at least; share of it that is still paper
_SMALL = 4  # blocks of the shorter side, at least


def is_document(luma: np.ndarray) -> bool:
    """Whether it is black writing on light paper.

    luma: (h, w) uint8, of any size
    Nearly all is as light as the paper around it or much darker, in short runs that lie all over
    the page. So were none of 60 old photos and 480 others, and 4 of 2,572 small ones (0.16 %), two
    of them drawings.
    """
    step = max(1, -(-max(luma.shape) // _SIDE))
    seen = luma[::step, ::step]
    few = seen[::6, ::6]
    if np.median(few) < _PAPER or (few > _LIGHT * np.median(few)).mean() < 0.5:  # most photos
        return False
    seen = seen.astype(np.float32)
    rows, columns = seen.shape[0] // _BLOCK, seen.shape[1] // _BLOCK
    if min(rows, columns) < _SMALL:
        return False
    blocks = seen[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    blocks = np.moveaxis(blocks, 1, 2)
    paper = _find_light(blocks.reshape(rows, columns, -1))
    if np.median(paper) <= _PAPER or (paper > 0.6 * _find_light(paper.ravel())).mean() <= 0.8:
        return False
    share = blocks / np.maximum(paper, 1)[..., None, None]
    light, dark = share > _LIGHT, share < 0.65
    light_share, dark_share = light.mean(), dark.mean()
    if light_share <= 0.75 or not 0.02 < dark_share < 0.25 or light_share + dark_share <= 0.9:
        return False
    written = (dark.mean((2, 3)) > 0.03) & (light.mean((2, 3)) > 0.35)
    changes = np.diff(share < 0.75, axis=3).sum((2, 3)) / _BLOCK
    return bool(written.mean() > 0.35 and changes[written].mean() > 1.6)


def _find_light(values: np.ndarray) -> np.ndarray:
    """What a tenth of the values (..., count) is above; `np.percentile` takes 9 ms to import."""
    return np.asarray(np.sort(values, axis=-1)[..., round(0.9 * (values.shape[-1] - 1))])

"""Color spaces. Every function takes and gives NumPy arrays or torch tensors, channels last.

RGB is sRGB, gamma-coded, 0..1. Luma is Rec. 601 (what JPEG and Pillow call gray), 0..1. YCbCr is
full range with Cb and Cr centered on 0, -0.5..0.5. OKLab is Ottosson 2020 with L in 0..1; CIE Lab
has L in 0..100 under D65; HSV has all three in 0..1, the hue as a share of the circle. Values
outside the RGB cube are carried through, signed, never clipped.
"""

import math
import sys
from types import ModuleType
from typing import Any

import numpy as np

Array = Any  # numpy.ndarray or torch.Tensor: the same functions serve both

LUMA = (0.299, 0.587, 0.114)


def namespace(array: Array) -> ModuleType:
    """The module, numpy or torch, whose functions work on `array`."""
    return np if isinstance(array, np.ndarray) else sys.modules["torch"]


def _mix(x: Array, *rows: tuple[float, float, float]) -> Array:
    """Multiply the last axis by a 3-column matrix given as rows of numbers."""
    first, second, third = x[..., 0], x[..., 1], x[..., 2]
    mixed = [p * first + q * second + r * third for p, q, r in rows]
    return namespace(x).stack(mixed, axis=-1)


def srgb_to_linear(rgb: Array) -> Array:
    """Undo the sRGB transfer curve (IEC 61966-2-1), odd-symmetric for negative values."""
    xp = namespace(rgb)
    size = xp.abs(rgb)
    curve = ((xp.maximum(size, size * 0 + 0.04045) + 0.055) / 1.055) ** 2.4
    return xp.sign(rgb) * xp.where(size <= 0.04045, size / 12.92, curve)


def linear_to_srgb(linear: Array) -> Array:
    """Apply the sRGB transfer curve (IEC 61966-2-1), odd-symmetric for negative values."""
    xp = namespace(linear)
    size = xp.abs(linear)
    curve = 1.055 * xp.maximum(size, size * 0 + 0.0031308) ** (1 / 2.4) - 0.055
    return xp.sign(linear) * xp.where(size <= 0.0031308, size * 12.92, curve)


def luma(rgb: Array) -> Array:
    """Rec. 601 luma (..., 0..1) of RGB (..., 3)."""
    return LUMA[0] * rgb[..., 0] + LUMA[1] * rgb[..., 1] + LUMA[2] * rgb[..., 2]


def tone_weights(y: Array) -> Array:
    """How much each luma (...), 0..1, is shadow, midtone and highlight: (..., 3) that sum to 1.

    Only black is all shadow, middle gray all midtone and white all highlight; linear in between.
    """
    xp = namespace(y)
    shadows, highlights = xp.clip(1 - 2 * y, 0.0, 1.0), xp.clip(2 * y - 1, 0.0, 1.0)
    return xp.stack([shadows, 1 - xp.abs(2 * y - 1), highlights], axis=-1)


def rgb_to_ycbcr(rgb: Array) -> Array:
    """RGB (..., 3) -> luma, Cb, Cr (..., 3), the JPEG (JFIF) matrix with chroma centered on 0."""
    y = luma(rgb)
    return namespace(rgb).stack([y, (rgb[..., 2] - y) / 1.772, (rgb[..., 0] - y) / 1.402], axis=-1)


def ycbcr_to_rgb(ycbcr: Array) -> Array:
    """Luma, Cb, Cr (..., 3) -> RGB (..., 3), the inverse of `rgb_to_ycbcr`."""
    green = (1.0, -1.772 * LUMA[2] / LUMA[1], -1.402 * LUMA[0] / LUMA[1])
    return _mix(ycbcr, (1.0, 0.0, 1.402), green, (1.0, 1.772, 0.0))


def rgb_to_oklab(rgb: Array) -> Array:
    """RGB (..., 3) -> OKLab (..., 3), L in 0..1 (Ottosson 2020)."""
    lms = _mix(
        srgb_to_linear(rgb),
        (0.4122214708, 0.5363325363, 0.0514459929),
        (0.2119034982, 0.6806995451, 0.1073969566),
        (0.0883024619, 0.2817188376, 0.6299787005),
    )
    return _mix(
        _cbrt(lms),
        (0.2104542553, 0.7936177850, -0.0040720468),
        (1.9779984951, -2.4285922050, 0.4505937099),
        (0.0259040371, 0.7827717662, -0.8086757660),
    )


def oklab_to_rgb(lab: Array) -> Array:
    """OKLab (..., 3) -> RGB (..., 3), outside 0..1 where the color is out of gamut."""
    root = _mix(
        lab,
        (1.0, 0.3963377774, 0.2158037573),
        (1.0, -0.1055613458, -0.0638541728),
        (1.0, -0.0894841775, -1.2914855480),
    )
    linear = _mix(
        root * root * root,
        (4.0767416621, -3.3077115913, 0.2309699292),
        (-1.2684380046, 2.6097574011, -0.3413193965),
        (-0.0041960863, -0.7034186147, 1.7076147010),
    )
    return linear_to_srgb(linear)


def rgb_to_lab(rgb: Array) -> Array:
    """RGB (..., 3) -> CIE 1976 L*a*b* (..., 3) under D65, L in 0..100."""
    xp = namespace(rgb)
    xyz = _mix(
        srgb_to_linear(rgb),
        (0.412453 / 0.95047, 0.357580 / 0.95047, 0.180423 / 0.95047),
        (0.212671, 0.715160, 0.072169),
        (0.019334 / 1.08883, 0.119193 / 1.08883, 0.950227 / 1.08883),
    )
    f = xp.where(xyz > 0.008856, _cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return xp.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def lab_to_rgb(lab: Array) -> Array:
    """CIE 1976 L*a*b* (..., 3) -> RGB (..., 3), the inverse of `rgb_to_lab`."""
    xp = namespace(lab)
    y = (lab[..., 0] + 16) / 116
    f = xp.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], axis=-1)
    xyz = xp.where(f > 0.008856 ** (1 / 3), f * f * f, (f - 16 / 116) / 7.787)
    linear = _mix(
        xyz,
        (3.240481342 * 0.95047, -1.537151516, -0.498536326 * 1.08883),
        (-0.969254950 * 0.95047, 1.875990000, 0.041555927 * 1.08883),
        (0.055646640 * 0.95047, -0.204041338, 1.057311070 * 1.08883),
    )
    return linear_to_srgb(linear)


def rgb_to_hsv(rgb: Array) -> Array:
    """RGB (..., 3), 0..1 -> hue, saturation, value (..., 3), 0..1; hue 0 where there is none."""
    xp = namespace(rgb)
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    value = xp.maximum(xp.maximum(red, green), blue)
    span = value - xp.minimum(xp.minimum(red, green), blue)
    width = xp.where(span > 0, span, 1.0)
    sixths = xp.where(
        value == red,
        (green - blue) / width,
        xp.where(value == green, 2 + (blue - red) / width, 4 + (red - green) / width),
    )
    saturation = span / xp.where(value > 0, value, 1.0)
    return xp.stack([xp.where(span > 0, sixths / 6 % 1, 0.0), saturation, value], axis=-1)


def hsv_to_rgb(hsv: Array) -> Array:
    """Hue, saturation, value (..., 3) -> RGB (..., 3); hue may be any number of turns."""
    xp = namespace(hsv)
    hue, saturation, value = hsv[..., 0], hsv[..., 1], hsv[..., 2]

    def channel(offset: int) -> Array:
        sixths = (offset + 6 * hue) % 6
        return value * (1 - saturation * xp.clip(xp.minimum(sixths, 4 - sixths), 0.0, 1.0))

    return xp.stack([channel(5), channel(3), channel(1)], axis=-1)


def oklab_of_luma(y: Array, ab: Array, *, rounds: int = 5) -> Array:
    """The OKLab colors (..., 3) with the given OKLab chroma whose luma is the one asked for.

    y: (...) Rec. 601 luma, 0..1
    ab: (..., 2) OKLab a and b
    Luma depends on chroma as well as on L, so L is found by secant steps from the gray's; where
    no color of that chroma has the luma, the result lies out of gamut near it.
    """
    xp = namespace(y)

    def color(light: Array) -> Array:
        return xp.stack([light, ab[..., 0], ab[..., 1]], axis=-1)

    def lightness(light: Array) -> Array:
        return _cbrt(srgb_to_linear(luma(oklab_to_rgb(color(light)))))

    wanted = _cbrt(srgb_to_linear(y))
    light, reached = wanted, lightness(wanted)
    step = wanted - reached
    for _ in range(rounds):
        now = lightness(light + step)
        slope = (now - reached) / xp.where(xp.abs(step) > 1e-6, step, 1.0)
        light, reached = light + step, now
        step = (wanted - reached) / xp.clip(xp.where(slope > 0, slope, 1.0), 0.4, 4.0)
    return color(light)


def hue_degrees(ab: Array) -> Array:
    """The hue angle (...), 0..360 degrees, of chroma (..., 2)."""
    return namespace(ab).arctan2(ab[..., 1], ab[..., 0]) * (180 / math.pi) % 360


def _cbrt(x: Array) -> Array:
    xp = namespace(x)
    return xp.sign(x) * xp.abs(x) ** (1 / 3)


def hue_distance(one: Array, other: Array | float) -> Array:
    """How far two hues are from each other: 0..180 degrees, of angles in degrees."""
    return abs((one - other + 180) % 360 - 180)

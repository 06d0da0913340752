"""Two planes of color: what the network gives, what it should give, and photos painted from them.

They are (batch, h, w, 2), 0..1, as the sigmoids give them: S cos H and S sin H, moved; or H and S;
or a and b of Lab.
"""

import math
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from tintype.color import hsv_to_rgb, lab_to_rgb, luma, rgb_to_hsv, rgb_to_lab
from tintype.research.methods.fenu2016.config import Config
from tintype.research.methods.palettes import rotate_hues

LAB_SPAN = 110.0  # sRGB's a and b lie between minus this and this


def to_gray(rgb: Tensor, config: Config) -> Tensor:
    """The gray photo (batch, 1, h, w), 0..1, that is colored in training.

    rgb: (batch, h, w, 3), 0..1. For Lab it is the gray that has the photo's lightness.
    """
    gray: Tensor = luma(rgb) if config.gray == "luma" else rgb.amax(-1)
    if config.space == "lab":
        gray = lab_to_rgb(rgb_to_lab(rgb) * rgb.new_tensor([1, 0, 0]))[..., 0]
    return gray[:, None]


def to_unit(rgb: Tensor, config: Config) -> Tensor:
    """The two planes of color that the network should give for RGB: (batch, h, w, 2), 0..1."""
    unit: Tensor = (config.bins.chroma(rgb) + 1) / 2
    if config.space == "raw":
        unit = rgb_to_hsv(rgb)[..., :2]
    elif config.space == "lab":
        unit = rgb_to_lab(rgb)[..., 1:] / (2 * LAB_SPAN) + 0.5
    return unit


def saturations(unit: Tensor, gray: Tensor, config: Config) -> Tensor:
    """S (cos H, sin H), (batch, h, w, 2), of what the network gives, (batch, h, w, 2), 0..1."""
    plane: Tensor = 2 * unit - 1
    if config.space == "raw":
        angle = 2 * math.pi * unit[..., :1]
        plane = unit[..., 1:] * torch.cat([angle.cos(), angle.sin()], -1)
    elif config.space == "lab":
        plane = config.bins.chroma(paint(unit, gray, config))
    return plane


def paint(unit: Tensor, gray: Tensor, config: Config) -> Tensor:
    """RGB (batch, h, w, 3) of what the network gives; the gray is its V, its luma or its L.

    unit: (batch, h, w, 2), 0..1; gray: (batch, 1, h, w), 0..1
    """
    value = gray[:, 0, :, :, None]
    if config.space == "lab":
        light = rgb_to_lab(value.expand(-1, -1, -1, 3))[..., :1]
        rgb: Tensor = lab_to_rgb(torch.cat([light, (2 * unit - 1) * LAB_SPAN], -1))
        return rgb
    x, y = saturations(unit, gray, config).chunk(2, -1)
    hue, saturation = torch.atan2(y, x) / (2 * math.pi), torch.hypot(x, y).clamp(max=1)
    pure: Tensor = hsv_to_rgb(torch.cat([hue, saturation, torch.ones_like(hue)], -1))
    if config.gray == "value":
        return pure * value
    scaled = pure * value / luma(pure)[..., None]
    over = scaled.amax(-1, keepdim=True) - value  # towards gray where it leaves the RGB cube
    kept: Tensor = value + (scaled - value) * ((1 - value) / over.clamp(min=1e-6)).clamp(max=1)
    return kept


def turn_hues(rgb: Tensor, degrees: Tensor, config: Config) -> Tensor:
    """Photos (batch, h, w, 3) with their hues turned by one angle each (batch,), as gray as before.

    For Lab the luma is kept, as nearly as it tells the lightness.
    """
    turned = (rotate_hues(config.bins.chroma(rgb), degrees) + 1) / 2
    keeps_value = config.gray == "value" and config.space != "lab"
    planes = replace(config, space="vector", gray="value" if keeps_value else "luma")
    return paint(turned, to_gray(rgb, planes), planes).clamp(0, 1)


def shrink(rgb: Tensor, like: Tensor) -> Tensor:
    """Photos (batch, h, w, 3) by area means at the height and width of planes (batch, h, w, 2)."""
    small = F.adaptive_avg_pool2d(rgb.permute(0, 3, 1, 2), (like.shape[1], like.shape[2]))
    return small.permute(0, 2, 3, 1)

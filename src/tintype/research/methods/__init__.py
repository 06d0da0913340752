"""The methods: what each of them is made of, and the registry of all by their names."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from tintype.research.methods import dahl2016, fenu2016, gray, tintype, zhang2016

# A network and its config are `Any` here: each method has types of its own.


@dataclass(frozen=True, kw_only=True)
class Trainable:
    """What the training loop needs of a network.

    config: the frozen dataclass of its fields, each with a default
    network: builds the module of a config
    previews: network, rgb (1, h, w, 3), luma (1, 1, h, w), 0..1 -> names and (h, w, 3) uint8
    first_steps: config -> how many steps come before its usual loss; None: there are none
    teacher: config -> the teacher's file, empty for none; None: it never has one
    """

    config: Callable[..., Any]
    network: Callable[[Any], Any]
    previews: Callable[[Any, Tensor, Tensor], list[tuple[str, np.ndarray]]]
    first_steps: Callable[[Any], int] | None = None
    teacher: Callable[[Any], str] | None = None


@dataclass(frozen=True, kw_only=True)
class Method(Trainable):
    """A way to color gray photos.

    colorize: network, gray (batch, 1, h, w), 0..1, palette or None -> RGB (batch, h, w, 3), 0..1
    decode: what `colorize` gives, of an encoded photo and palettes; None: it takes no palette
    takes_palette: config -> whether a network with `decode` was trained to take one; None: always
    join_luma: the network with colors that join a luma; None: its colors do so already
    keeps_value: config -> whether HSV's V is the gray that is kept; None: the luma always is
    pins_vgg: whether the network has a pinned VGG-16, `network.vgg`, of the file `config.vgg`
    """

    colorize: Callable[..., Tensor]
    decode: Callable[..., Tensor] | None = None
    takes_palette: Callable[[Any], bool] | None = None
    join_luma: Callable[[Any], Any] | None = None
    keeps_value: Callable[[Any], bool] | None = None
    pins_vgg: bool = False


METHODS = {
    "gray": Method(
        config=gray.Config,
        network=gray.Network,
        previews=gray.previews,
        colorize=gray.colorize,
    ),
    "dahl2016": Method(
        config=dahl2016.Config,
        network=dahl2016.Network,
        previews=dahl2016.previews,
        colorize=dahl2016.colorize,
        pins_vgg=True,
    ),
    "zhang2016": Method(
        config=zhang2016.Config,
        network=zhang2016.Network,
        previews=zhang2016.previews,
        colorize=zhang2016.colorize,
    ),
    "fenu2016": Method(
        config=fenu2016.Config,
        network=fenu2016.Network,
        previews=fenu2016.previews,
        first_steps=lambda config: config.first_steps,
        colorize=fenu2016.colorize,
        decode=fenu2016.decode,
        takes_palette=lambda config: config.palette != "none",
        join_luma=fenu2016.join_luma,
        keeps_value=lambda config: config.gray == "value" and config.space != "lab",
        pins_vgg=True,
    ),
    "tintype": Method(
        config=tintype.Config,
        network=tintype.Network,
        previews=tintype.previews,
        teacher=lambda config: config.teacher,
        colorize=tintype.colorize,
        decode=tintype.decode,
    ),
}

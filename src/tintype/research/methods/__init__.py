"""The methods: what each of them is made of, and the registry of all by their names."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from tintype.research.methods import (
    cheng2015,
    dahl2016,
    deshpande2015,
    fenu2016,
    gray,
    tint,
    tintype,
    zhang2016,
)

# A network and its config are `Any` here: each method has types of its own.


@dataclass(frozen=True, kw_only=True)
class Trainable:
    """What the training loop needs of a network.

    config: the frozen dataclass of its fields, each with a default
    network: builds the module of a config
    preview: network, rgb (1, h, w, 3), luma (1, 1, h, w) -> pictures by name, RGB (h, w, 3), all
        0..1, which the log shows of held-out photos; None: there is nothing to see
    first_steps: config -> how many steps come before its usual loss, for which the loop counts the
        network's buffer `steps`; None: there are none
    learning_rates: config -> what began from published weights, by how its parameters' names begin,
        and its share of the learning rate; nothing there decays; None: there is no such thing
    """

    config: Callable[..., Any]
    network: Callable[[Any], Any]
    preview: Callable[[Any, Tensor, Tensor], dict[str, Tensor]] | None = None
    first_steps: Callable[[Any], int] | None = None
    learning_rates: Callable[[Any], dict[str, float]] | None = None


@dataclass(frozen=True, kw_only=True)
class Method(Trainable):
    """A way to color gray photos.

    colorize: network, gray (batch, 1, h, w), 0..1, palette or None -> RGB (batch, h, w, 3), 0..1
    decode: what `colorize` gives, of an encoded photo, palettes and hints; None: it takes none
    find_likelihoods: what `decode` weighs, (batch, bins, h/4, w/4), sums of 1; None: it cannot tell
    takes_palette: config -> whether a network with `decode` was trained to take one; None: always
    takes_hints: whether `decode` heeds hints
    join_luma: the network with colors that join a luma; None: its colors do so already
    keeps_value: config -> whether HSV's V is the gray that is kept; None: the luma always is
    pins_vgg: whether the network has a pinned VGG-16, `network.vgg`, of the file `config.vgg`
    """

    colorize: Callable[..., Tensor]
    decode: Callable[..., Tensor] | None = None
    find_likelihoods: Callable[..., Tensor] | None = None
    takes_palette: Callable[[Any], bool] | None = None
    takes_hints: bool = False
    join_luma: Callable[[Any], Any] | None = None
    keeps_value: Callable[[Any], bool] | None = None
    pins_vgg: bool = False


def show_automatic(
    colorize: Callable[..., Tensor],
) -> Callable[[Any, Tensor, Tensor], dict[str, Tensor]]:
    """The preview of a method that colors in one way only."""

    def preview(network: Any, _rgb: Tensor, luma: Tensor) -> dict[str, Tensor]:
        return {"automatic": colorize(network, luma)[0]}

    return preview


METHODS = {
    "gray": Method(
        config=gray.Config,
        network=gray.Network,
        preview=show_automatic(gray.colorize),
        colorize=gray.colorize,
    ),
    "tint": Method(
        config=tint.Config,
        network=tint.Network,
        preview=show_automatic(tint.colorize),
        colorize=tint.colorize,
    ),
    "cheng2015": Method(
        config=cheng2015.Config,
        network=cheng2015.Network,
        preview=show_automatic(cheng2015.colorize),
        colorize=cheng2015.colorize,
        pins_vgg=True,
    ),
    "deshpande2015": Method(
        config=deshpande2015.Config,
        network=deshpande2015.Network,
        preview=deshpande2015.preview,
        colorize=deshpande2015.colorize,
        decode=deshpande2015.decode,
    ),
    "dahl2016": Method(
        config=dahl2016.Config,
        network=dahl2016.Network,
        preview=show_automatic(dahl2016.colorize),
        colorize=dahl2016.colorize,
        pins_vgg=True,
    ),
    "zhang2016": Method(
        config=zhang2016.Config,
        network=zhang2016.Network,
        preview=show_automatic(zhang2016.colorize),
        colorize=zhang2016.colorize,
    ),
    "fenu2016": Method(
        config=fenu2016.Config,
        network=fenu2016.Network,
        preview=fenu2016.preview,
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
        preview=tintype.preview,
        learning_rates=lambda config: {"backbone.": tintype.LATE_RATE} if config.backbone else {},
        colorize=tintype.colorize,
        decode=tintype.decode,
        find_likelihoods=tintype.find_likelihoods,
        takes_hints=True,
    ),
}

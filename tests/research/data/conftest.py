"""A small folder of photos in ImageNet's layout, and its pack."""

import io
import tarfile

import pytest
from PIL import Image

from research.conftest import scene
from tintype.research.data import packing, photo_set
from tintype.research.data.packing import Options

SMALL = Options(size=64, per_shard=5, validation=0.2)


def draw_photos(folder, count=23, classes=("n01", "n02", "n03")):
    """A folder in ImageNet's layout with photos of 80 x 70 pixels."""
    for number in range(count):
        path = folder / classes[number % len(classes)] / f"{number}.JPEG"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(scene(80, 70, number)).save(path, "JPEG", quality=95)
    return folder


def write_tar(folder, path, mode):
    """The photos of a folder in a tar file."""
    with tarfile.open(path, mode) as tar:
        for file in sorted(folder.rglob("*.JPEG")):
            tar.add(file, file.relative_to(folder))
    return str(path)


def pack(source, out, options=SMALL, workers=2):
    return packing.pack([str(source)], out, options, workers=workers)


def files(out):
    """What people see of a pack, by name."""
    return {path.name: path.read_bytes() for path in sorted(out.glob("[!.]*"))}


def shards(out, split="*"):
    return str(out / f"{split}-*.tar")


@pytest.fixture(scope="session")
def imagenet(tmp_path_factory):
    return draw_photos(tmp_path_factory.mktemp("imagenet"))


@pytest.fixture(scope="session")
def unbroken(imagenet, tmp_path_factory):
    """A pack that nothing has stopped."""
    out = tmp_path_factory.mktemp("unbroken") / "shards"
    pack(imagenet, out)
    return out


def png(rgb):
    """The bytes of a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG")
    return buffer.getvalue()


def set_of(folder, *photos):
    """Arrays (h, w, 3) uint8 as they come from a folder of PNG files."""
    for i, rgb in enumerate(photos):
        Image.fromarray(rgb).save(folder / f"{i}.png")
    return photo_set.load([str(folder)], size=256)

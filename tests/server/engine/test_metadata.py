"""What a photo's file says is in what the site saves, as Python writes it; the judge is Exiv2."""

import base64
import io
import json

import numpy as np
import photos
import pytest
from metadata import rich
from metadata.test_formats import tell
from metadata.test_photoshop import (
    COPYRIGHT,
    IPTC,
    IPTC_NUMBER,
    RESOLUTION,
    SLICES,
    THUMBNAIL,
    block,
    exif_segment,
    jpeg_with,
)
from metadata.test_regions import ATTRIBUTES, ELEMENTS, HEIGHT, WIDTH
from metadata.test_regions import file_with as turned_with
from metadata.test_regions import packet as regions
from metadata.test_xmp import BOMB, file_with, packet
from PIL import Image

from tintype import photo
from tintype.metadata import Provenance, find_recipe

RECIPE = '{"version":2,"palette":null,"alternative":0,"edits":[],"note":"a < b & \\"c\\""}'
EMBED = """async (tasks) => {
    const { embed } = await import("./engine/local/metadata/embed.js");
    const { readMetadata } = await import("./engine/local/metadata/extract.js");
    (await import("./engine/local/shared.js")).share(await (await fetch("engine.json")).json());
    const read = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const answers = [];
    for (const { file, picture, type, recipe, ...size } of tasks) {
        const metadata = await readMetadata(new Blob([read(file)]));
        const made = await embed(new Blob([read(picture)], { type }), metadata, recipe, size);
        const bytes = new Uint8Array(await made.arrayBuffer());
        answers.push(btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")));
    }
    return answers;
}"""
SIDES = b"\0\xc8\0\0\0\1\0\1\1\x2c\0\0\0\1\0\1"  # 200 and 300 dpi
OTHER = "<Iptc4xmpExt:ImageRegion><rdf:Bag/></Iptc4xmpExt:ImageRegion>"
REST = "Xmp.xmpNote.HasExtendedXMP"
PREVIEW = b"\x1c\x02\xca\x00\x07PREVIEW"


def encode(data):
    return base64.b64encode(data).decode()


def embed(page, sources, target, size=None):
    """The files that the page makes of the metadata of photos and of blank pictures."""
    tasks = []
    for source in sources:
        width, height = photo.read(source).size if size is None else size
        blank = io.BytesIO()
        Image.new("RGB", (width, height)).save(blank, target)
        about = {"type": f"image/{target.lower()}", "width": width, "height": height}
        files = {"file": encode(source), "picture": encode(blank.getvalue())}
        tasks.append(files | about | {"recipe": json.loads(RECIPE)})
    return [base64.b64decode(one) for one in page.evaluate(EMBED, tasks)]


def list_all(jpeg):
    """All tags of a JPEG, by way of a PNG, where XMP lies in one piece."""
    return tell(rich.list_tags(rich.convert(jpeg, "PNG")[0]))


def make_resolution():
    """EXIF that says how many dots are in a centimeter."""
    exif = Image.Exif()
    exif[0x011A], exif[0x011B], exif[0x0128] = 118.11, 59, 3
    return exif


def make_sources(folder):
    """Photos with what metadata may hold, upright and not."""
    turned = photos.exif(6)
    resources = block(
        (SLICES, bytes(range(256)) * 600), (IPTC_NUMBER, IPTC + PREVIEW), (COPYRIGHT, b"\x01"),
        (THUMBNAIL, b"old"), (RESOLUTION, SIDES), (1061, b"0123456789abcdef"),
    )  # fmt: skip
    plain = jpeg_with(resources)
    words = "x" * 150_000
    long = packet(
        f"<photoshop:City>北京</photoshop:City><photoshop:History>{words}</photoshop:History>"
    )
    once, _ = rich.convert(file_with(long), "JPEG")  # with an extended packet
    return [
        *(rich.make_photo(name, folder).read_bytes() for name in ("JPEG", "PNG", "WEBP")),
        *(
            turned_with(regions(area), orientation)
            for area in (ATTRIBUTES, ELEMENTS)
            for orientation in range(1, 9)
        ),
        turned_with(regions(ATTRIBUTES, (HEIGHT, WIDTH)), 6),
        turned_with(regions('<mwg:Area a:x="7" a:y="0.5"/>'), 6),
        turned_with(regions(ATTRIBUTES, more=OTHER), 6),
        plain,
        plain[:2] + exif_segment(turned) + plain[2:],
        jpeg_with(resources[:-3]),
        file_with(
            packet("<photoshop:City>北京</photoshop:City>").decode().encode("utf-16"), "WEBP"
        ),
        file_with(packet("", 'tiff:SamplesPerPixel="1" photoshop:ColorMode="1"')),
        file_with(packet("", 'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="A & B"')),
        *(photos.encoded(rich.SCENE, "JPEG", dpi=(300, 200), exif=photos.exif(k)) for k in (1, 6)),
        *(photos.encoded(rich.SCENE, "PNG", dpi=(109.75, 72), exif=photos.exif(k)) for k in (1, 6)),
        photos.encoded(rich.SCENE, "WEBP", exif=make_resolution()),
        photos.encoded(rich.SCENE, "WEBP", xmp=BOMB.encode() + packet("&b;"), exif=turned),
        photos.encoded(rich.SCENE, "WEBP", xmp=packet("<photoshop:City>Par"), exif=turned),
        file_with(long),
        once,
    ]


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return make_sources(tmp_path_factory.mktemp("rich"))


@pytest.mark.parametrize("target", ["JPEG", "PNG"])
def test_it_is_what_python_writes(page, sources, target):
    for source, made in zip(sources, embed(page, sources, target), strict=True):
        right, _ = rich.convert(source, target, provenance=Provenance(RECIPE))
        found, wanted = (tell(rich.list_tags(file)) for file in (made, right))
        if found.pop(REST, None):  # which has its own name, and Exiv2 does not read
            assert wanted.pop(REST)
            assert list_all(made) == list_all(right)
        assert found == wanted
        assert found["Xmp.tintype.Recipe"] == RECIPE
        with Image.open(io.BytesIO(made)) as image, Image.open(io.BytesIO(right)) as other:
            assert json.loads(find_recipe([image.info["xmp"]])) == json.loads(RECIPE)
            assert image.info.get("dpi") == other.info.get("dpi")


def test_it_reads_anything_without_an_error(page, sources):
    """What is broken costs neither the picture nor its own packet."""
    random = np.random.default_rng(19)
    broken = []
    for source in sources[:3]:
        ends = random.integers(0, len(source), 10)
        broken += [source[:end] for end in ends]
        for _ in range(30):
            bytes_ = bytearray(source)
            for at in random.integers(2, min(len(source), 1500), 4):
                bytes_[at] = random.integers(256)
            broken.append(bytes(bytes_))
    for made in embed(page, broken, "JPEG", (80, 96)):
        with Image.open(io.BytesIO(made)) as image:
            assert json.loads(find_recipe([image.info["xmp"]])) == json.loads(RECIPE)

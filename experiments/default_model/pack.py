"""Photographs in tar files small enough to carry to a machine with a GPU, each a fair sample.

    python experiments/default_model/pack.py --data A.tar B.tar.gz --out packs --megabytes 60

They are drawn as training draws them, none twice, and made smaller: a short side of 144 pixels,
WebP of quality 75, about 6 kB each. There:

    python experiments/default_model/train.py joint --out OUT --start model.safetensors \\
        --data packs/*.tar --minutes 8 --batch 256 --workers 16 --save-minutes 1 --fall 0.5
"""

import argparse
import io
import random
import tarfile
from pathlib import Path

from photographs import Photographs
from PIL import Image
from tqdm import tqdm

SIDE, QUALITY = 144, 75


def shrink(content: bytes) -> bytes:
    """A photograph's file, made smaller."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    scale = min(1.0, SIDE / min(image.size))
    wide, high = (round(scale * side) for side in image.size)
    out = io.BytesIO()
    image.resize((wide, high), Image.Resampling.LANCZOS).save(out, "WEBP", quality=QUALITY)
    return out.getvalue()


def pack(photographs: Photographs, out: Path, files: int, most: int, rng: random.Random) -> None:
    """Write `files` tar files of at most `most` bytes, as far as there are photographs."""
    rest = {name: rng.sample(own, len(own)) for name, own in photographs.sources.items()}
    weights = dict(zip(photographs.names, photographs.weights, strict=True))
    for number in range(files):
        size, path = 0, out / f"photographs-{number}.tar"
        with tarfile.open(path, "w") as tar, tqdm(desc=path.name, total=most, unit="B") as bar:
            while size < most - 100_000 and (names := [n for n, r in rest.items() if r]):
                name = rng.choices(names, [weights[n] for n in names])[0]
                content = shrink(rest[name].pop())
                member = tarfile.TarInfo(f"{name}/{len(rest[name]):06d}.webp")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
                step = 512 + -(-len(content) // 512) * 512  # what a tar file adds
                size += step
                bar.update(step)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", nargs="+", required=True, help="tar files of photographs")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--files", type=int, default=5)
    parser.add_argument("--megabytes", type=float, default=60.0, help="of each file")
    o = parser.parse_args()
    o.out.mkdir(parents=True, exist_ok=True)
    pack(Photographs(o.data), o.out, o.files, round(1e6 * o.megabytes), random.Random(0))


if __name__ == "__main__":
    main()

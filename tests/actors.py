"""A folder of photos, a tar file of them, and coloring them by a cluster, for tests."""

import io
import tarfile
from pathlib import Path
from typing import Any

from tiny import ASKED, Quick, draw, files, locate

from tintype.batch import Ray, ray_runner
from tintype.batch.request import OutputOptions


def by_ray(
    source: object,
    out: object,
    method: Any = None,
    *,
    asked: dict[str, Any] = ASKED,
    workers: int = 2,
    **options: Any,
) -> tuple[int, list[str]]:
    """Color by actors: how many were colored now, and the failures."""
    summary = ray_runner.run_cluster(
        method or Quick(),
        OutputOptions(**options),
        locate(source, out),
        asked,
        Ray(workers=workers),
        report=lambda _: None,
    )
    return summary.colored, summary.failures


def photos(folder: Path, count: int) -> Path:
    """A tree of gray photos, of two formats."""
    for number in range(count):
        draw(folder / f"{number % 3}" / f"{number}.{'png' if number % 2 else 'jpg'}", number)
    return folder


def results(out: Path) -> dict[str, str]:
    """The files in a folder of results, without the manifest."""
    made = files(out)
    del made["manifest.jsonl"]
    return made


def tarred(path: Path, members: dict[str, bytes]) -> Path:
    """A tar file of these members, in this order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            about = tarfile.TarInfo(name)
            about.size, about.mtime = len(content), 1
            tar.addfile(about, io.BytesIO(content))
    return path

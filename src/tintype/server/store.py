"""What the server holds: photos that were encoded, for a while."""

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, replace

from tintype.colorizer import Encoded
from tintype.regions import MOST_KEPT

PREVIEW, THUMBNAIL = 768, 192  # longest sides of what is shown while editing, pixels


@dataclass(frozen=True, eq=False)
class Sizes:
    """One encoded photo to be decoded at three sizes; features are shared."""

    full: Encoded
    preview: Encoded
    thumbnail: Encoded

    @classmethod
    def of(cls, full: Encoded) -> "Sizes":
        """Shrink the luma that chroma will be joined to."""
        preview = replace(full, photo=full.photo.shrunk(PREVIEW))
        return cls(full, preview, replace(full, photo=preview.photo.shrunk(THUMBNAIL)))

    @property
    def bytes(self) -> int:
        """What it takes in memory, near enough."""
        photos = (self.full.photo, self.preview.photo, self.thumbnail.photo)
        encoding = self.full.encoding
        planes = [*encoding.features, *(p for photo in photos for p in photo.planes)]
        held = sum({id(plane): plane.nbytes for plane in planes}.values())  # small ones are shared
        return held + (1 + MOST_KEPT) * encoding.luma.nbytes  # and regions: as many as are kept


class Store:
    """The photos last used, under random names; the others are forgotten."""

    def __init__(self, *, count: int = 64, bytes: int = 1 << 30, seconds: float = 3600.0) -> None:
        """count, bytes: how much is kept at most; seconds: for how long without use."""
        self._count, self._bytes, self._seconds = count, bytes, seconds
        self._held: OrderedDict[str, tuple[float, Sizes]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._held)

    def add(self, photo: Sizes) -> str:
        """Keep a photo and give its name."""
        name = secrets.token_urlsafe(16)
        with self._lock:
            self._held[name] = (time.monotonic(), photo)
            self._forget()
        return name

    def get(self, name: str) -> Sizes | None:
        """A photo, if it is still there."""
        with self._lock:
            self._forget()
            if name not in self._held:
                return None
            _, photo = self._held.pop(name)
            self._held[name] = (time.monotonic(), photo)
            return photo

    def drop(self, name: str) -> bool:
        """Forget a photo; False if there was none."""
        with self._lock:
            return self._held.pop(name, None) is not None

    def sweep(self) -> None:
        """Forget what was unused for too long."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        """The longest unused go first; the newest always stays."""
        oldest = time.monotonic() - self._seconds
        size = sum(photo.bytes for _, photo in self._held.values())
        while self._held:
            used, photo = next(iter(self._held.values()))
            full = len(self._held) > self._count or size > self._bytes
            if used >= oldest and not (full and len(self._held) > 1):
                break
            size -= photo.bytes
            self._held.popitem(last=False)

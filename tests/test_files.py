"""Files are whole or absent: on a full disk, after an error, over links, with their rights kept."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tintype.files import lock, open_whole, remove_abandoned, sha256, write_whole

FULL = """
import os, resource, signal, sys
from tintype.cli import main
try:
    main()
except SystemExit as end:
    assert end.code == 0
size = os.path.getsize(sys.argv[4])
os.remove(sys.argv[4])
resource.setrlimit(resource.RLIMIT_FSIZE, (size - 10, size - 10))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
print("full", file=sys.stderr)
main()
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("suffix", "depth"),
    [("jpg", 8), ("png", 8), ("png", 16), ("tif", 8), ("tif", 16), ("webp", 8)],
)
def test_a_disk_that_is_full_leaves_nothing_and_says_so(
    folder: Path, suffix: str, depth: int
) -> None:
    """The last bytes find no room: written past Python, that went unnoticed by Pillow's JPEG."""
    before = names(folder)
    words = ["colorize", "coffee.png", "-o", f"out.{suffix}", "--depth", str(depth)]
    command = [sys.executable, "-c", FULL, *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    lines = done.stderr.partition("full\n")[2].splitlines()
    assert len(lines) == 1
    assert "File too large" in lines[0]
    assert names(folder) == before


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail() -> None:
        with open_whole(path) as file:
            file.write(b"new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_nothing_is_there_before_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with open_whole(path, overwrite=False) as file:
        file.write(b"new")
        file.flush()
        assert not path.exists()
    assert path.read_text() == "new"


def test_what_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"

    def collide() -> None:
        with open_whole(path, overwrite=False) as file:
            file.write(b"ours")
            path.write_text("theirs")

    with pytest.raises(FileExistsError):
        collide()
    assert path.read_text() == "theirs"
    assert names(tmp_path) == ["a.txt"]


def test_a_replaced_file_hands_down_its_rights(tmp_path: Path) -> None:
    path = tmp_path / "secret.txt"
    path.write_text("old")
    path.chmod(0o600)
    write_whole(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_new_file_has_the_usual_rights(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    write_whole(tmp_path / "new", b"")
    modes = {path.stat().st_mode for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_a_link_is_followed_and_stays(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "a.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to(tmp_path / "far" / "a.txt")
    write_whole(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "far" / "a.txt").read_text() == "new"


def test_links_of_others_are_not_written_through(tmp_path: Path) -> None:
    """What others may guess of a temporary name, `NAME.part`, is left alone."""
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "a.json.part").symlink_to(tmp_path / "precious")
    write_whole(tmp_path / "a.json", "{}")
    assert (tmp_path / "precious").read_text() == "precious"


def test_a_folder_or_a_device_is_no_file(tmp_path: Path) -> None:
    for path in (tmp_path, Path(os.devnull)):
        with pytest.raises(IsADirectoryError):
            write_whole(path, b"")


def test_encoders_get_no_file_number(tmp_path: Path) -> None:
    with open_whole(tmp_path / "a.jpg") as file:
        with pytest.raises(OSError, match="fileno"):
            file.fileno()
        Image.new("L", (64, 64)).save(file, "JPEG")
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.size == (64, 64)


def test_one_lock_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("w") as first, path.open("w") as second:
        assert lock(first)
        assert not lock(second)
    with path.open("w") as third:
        assert lock(third)


def test_the_hash_is_sha256_of_the_content(tmp_path: Path) -> None:
    """FIPS 180-2, appendix B.1."""
    (tmp_path / "abc").write_text("abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(tmp_path / "abc") == expected


def test_what_is_being_written_is_not_abandoned(tmp_path: Path) -> None:
    with open_whole(tmp_path / "a.txt") as file:
        file.write(b"half")
        file.flush()
        (part,) = tmp_path.glob(".tintype-*.part")
        os.utime(part, (0, 0))
        remove_abandoned([tmp_path])
        assert part.exists()
    assert (tmp_path / "a.txt").read_bytes() == b"half"

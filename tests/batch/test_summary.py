"""What became of many photos, in words."""

from collections import Counter

from tintype.batch import Summary


def test_what_was_left_alone_is_counted_by_kind_and_extras_are_named() -> None:
    others = Counter({".heic": 3, ".tga": 2, ".jxl": 1, ".hif": 1})
    heif, jxl, counts = Summary(colored=1, others=others).lines("out")
    assert heif == ".heic, .hif: pip install 'tintype[heif]' to have such photos colored"
    assert jxl.startswith(".jxl: pip install 'tintype[jxl]'")
    assert "7 others skipped (3 .heic, 2 .tga, 1 .jxl, 1 .hif)" in counts

"""The site's documentation: every link leads somewhere, and the references say what there is."""

import re

import pytest
from make_docs import NAV, Docs, name_page, render
from references import describe_python, describe_rest

import tintype
from tintype.cli import cli


def test_every_page_of_the_menu_is_there_and_every_link_leads_somewhere(site):
    pages = {path.name: path.read_text() for path in (site / "docs").glob("*.html")}
    assert {name_page(source) for source in NAV} <= pages.keys()
    for name, page in pages.items():
        assert page.count("<h1") == 1, name
        assert "style=" not in page, name  # which the policy forbids
        for link in re.findall(r'(?:href|src)="([^"#]+)', page):
            if not re.match(r"\w+:", link):
                assert (site / "docs" / link).exists(), (name, link)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [("[a](b.md)", "no b.md"), ("# A\n\n[a](#b)", "heading #b"), ("![](a.png)", "no a.png")],
)
def test_a_link_that_leads_nowhere_ends_the_build(tmp_path, text, wrong):
    docs = Docs(tmp_path, {"a.md": text})
    docs.waiting = ["a.md"]
    with pytest.raises(SystemExit, match=wrong):
        docs.build()


def test_what_is_bundled_has_its_license(site):
    text = (site / "licenses.txt").read_text()
    for words in (
        "Apache License",
        "EfficientNet-Lite2",
        "CC0",
        "ONNX Runtime Web 1",
        "MIT License",
    ):
        assert words in text
    assert "protobuf" in (site / "third-party-notices.txt").read_text()


def test_markdown_is_read_as_github_reads_it():
    assert render("As so:\n- one\n- two").count("<li>") == 2
    assert 'id="a--b-of-c"' in render("# A & B, of `c`")


def test_references_have_every_command_name_and_route(site):
    page = (site / "docs" / "command-line.html").read_text()
    for name in cli.commands:
        assert f"tintype {name}</h2>" in page
    assert "--towards" in page
    python = describe_python()
    for name in tintype.__all__:
        assert f"## {name}\n" in python
    assert "- `chroma`: (2, h, w) float32 Cb and Cr" in python
    text, about = describe_rest()
    assert len(re.findall("^## (?:GET|POST|PUT|DELETE) /", text, re.M)) == sum(
        map(len, about["paths"].values())
    )
    assert "| `alternative` | integer |" in text

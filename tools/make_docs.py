"""Build the site's documentation: the repository's Markdown, and references, as plain pages.

    docs/*.md, README.md, … ──Markdown──▶ site/docs/*.html ◀──references── commands, Python, REST

Every link within the repository is followed; one that leads nowhere ends the build.
"""

import html
import json
import re
import shutil
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import markdown
from references import describe_commands, describe_python, describe_rest

ROOT = Path(__file__).parents[1]
SITE = ROOT / "tools" / "site"
NAV = {  # what the menu says, by file; those without a file in the repository are made
    "README.md": "Start",
    "docs/editor.md": "The editor",
    "docs/command-line.md": "Command line",
    "docs/python.md": "Python",
    "docs/rest.md": "REST",
    "docs/gallery.md": "Gallery",
    "docs/pins.md": "Pins",
    "docs/layers.md": "Layers",
    "docs/scale.md": "Folders and clusters",
    "docs/model-card.md": "Model card",
    "docs/evaluation.md": "Evaluation",
    "docs/paper.md": "The paper",
    "docs/experiments.md": "Experiments",
    "docs/decisions.md": "Decisions",
    "CONTRIBUTING.md": "Contributing",
    "CHANGELOG.md": "Changes",
}
LINK = re.compile(r'(<(?:a|img)\b[^>]*?\b(?:href|src)=")([^"#]*)(#[^"]*)?(")')
EXTERNAL = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)


class Docs:
    """Pages by their Markdown's path in the repository, and files that they show."""

    def __init__(self, folder: Path, made: dict[str, str]) -> None:
        """made: Markdown of what has no file"""
        self.folder, self.made = folder, made
        self.bodies: dict[str, str] = {}
        self.waiting = list(NAV)
        self.broken: list[str] = []

    def build(self) -> None:
        """Write every page, and those that they lead to. Raises SystemExit for broken links."""
        self.folder.mkdir(parents=True, exist_ok=True)
        while self.waiting:
            source = self.waiting.pop()
            if source not in self.bodies:
                self.bodies[source] = self._lead(source, render(self._read(source)))
        for source, body in self.bodies.items():
            self._check_anchors(source, body)
            (self.folder / name_page(source)).write_text(lay_out(source, body), encoding="utf-8")
        shutil.copy(SITE / "docs.css", self.folder / "docs.css")
        if self.broken:
            raise SystemExit("\n".join(self.broken))

    def _read(self, source: str) -> str:
        return self.made.get(source) or (ROOT / source).read_text(encoding="utf-8")

    def _lead(self, source: str, body: str) -> str:
        """A page whose links lead to pages and files of the site."""

        def follow(found: re.Match[str]) -> str:
            start, path, anchor, end = found.groups()
            if not path or EXTERNAL.match(path):
                return found[0]
            target = resolve(source, unquote(html.unescape(path)))
            return f"{start}{self._place(source, target)}{anchor or ''}{end}"

        return LINK.sub(follow, body)

    def _place(self, source: str, target: str) -> str:
        """Where a file of the repository is on the site; it is put there."""
        if target in self.made and not target.endswith(".md"):
            (self.folder / PurePosixPath(target).name).write_text(self.made[target])
            return PurePosixPath(target).name
        if target not in self.made and not (ROOT / target).is_file():
            self.broken.append(f"{source}: expected a file, found no {target}; correct the link")
            return "#"
        if target.endswith(".md"):
            self.waiting.append(target)
            return name_page(target)
        name = target.replace("/", "-")
        shutil.copy(ROOT / target, self.folder / name)
        return name

    def _check_anchors(self, source: str, body: str) -> None:
        pages = {name_page(one): text for one, text in self.bodies.items()}
        for _, path, anchor, _ in LINK.findall(body):
            page = pages.get(path) if path else body
            if anchor and page is not None and f'id="{anchor[1:]}"' not in page:
                self.broken.append(f"{source}: expected a heading {anchor}, found none in {path}")


def resolve(source: str, path: str) -> str:
    """A link's target from the repository's root on."""
    parts: list[str] = []
    for part in (PurePosixPath(source).parent / path).parts:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts)


def name_page(source: str) -> str:
    """The page of a file of Markdown."""
    if source == "README.md":
        return "index.html"
    return source.removeprefix("docs/").removesuffix(".md").lower().replace("/", "-") + ".html"


def make_anchor(title: str, separator: str) -> str:
    """A heading's name in links, as GitHub has it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", separator)


def render(text: str) -> str:
    """Markdown as HTML without styles of its own, and tables and code that fingers can scroll."""
    text = re.sub(r"(?m)^((?!\s*[-*] |\s*\d+\. ).+)\n(?=[-*] )", r"\1\n\n", text)
    body = markdown.markdown(
        text,
        extensions=["tables", "fenced_code", "sane_lists", "toc"],
        extension_configs={
            "tables": {"use_align_attribute": True},
            "toc": {"slugify": make_anchor},
        },
        output_format="html",
    )
    body = body.replace("<table>", '<div class="table" tabindex="0"><table>')
    body = body.replace("</table>", "</table></div>").replace("<pre>", '<pre tabindex="0">')
    return body.replace("<img ", '<img loading="lazy" ').replace("<th></th>", "<td></td>")


def lay_out(source: str, body: str) -> str:
    """A whole page."""
    links = [
        f'<li><a href="{name_page(one)}"{" aria-current=page" * (one == source)}>{title}</a></li>'
        for one, title in NAV.items()
    ]
    if "<h1" not in body:
        body = f"<h1>{NAV.get(source, PurePosixPath(source).stem.capitalize())}</h1>\n{body}"
    name = re.sub("<[^>]*>", "", body[body.index("<h1") : body.index("</h1>")])
    page = (SITE / "page.html").read_text(encoding="utf-8")
    name = "Tintype" if name == "Tintype" else f"{name} · Tintype"
    for mark, text in (("title", name), ("nav", "\n".join(links)), ("body", body)):
        page = page.replace(f"@{mark}@", text)
    return page


def make_docs(folder: Path) -> None:
    """Write the documentation into a folder beside the editor's files."""
    rest, about = describe_rest()
    made = {
        "docs/command-line.md": describe_commands(),
        "docs/python.md": describe_python(),
        "docs/rest.md": rest,
        "docs/openapi.json": json.dumps(about, indent=1),
    }
    Docs(folder, made).build()

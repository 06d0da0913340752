"""Build `site/`: the editor as static files, with the model in it, for any static host.

    server/static, weights, onnxruntime-web ──▶ site/ ──▶ python -m http.server -d site

The editor's files are the server's own; `index.html` alone says that the model is in the browser.
"""

import argparse
import hashlib
import json
import re
import shutil
import tempfile
from pathlib import Path

import onnxruntime
from make_docs import make_docs

import tintype
from tintype.server import shared

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "src" / "tintype" / "server" / "static"
RUNTIME = ROOT / "node_modules" / "onnxruntime-web" / "dist"
RUNTIME_FILES = (
    "ort.wasm.min.mjs",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
)
MODULES = ("engine/here.js", "engine/local.js", "main.js")  # of the page, with what they import
SERVER_ONLY = ("docs.html", "docs.js", "study.html", "study.js")
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
    "worker-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
NOTICES = "third-party-notices.txt"
HEAD = '<meta charset="utf-8">'


def make_site(folder: Path) -> None:
    """Write the site into a folder, which is emptied."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(STATIC, folder, ignore=shutil.ignore_patterns(*SERVER_ONLY))
    (folder / "ort").mkdir()
    for name in RUNTIME_FILES:
        shutil.copy(RUNTIME / name, folder / "ort" / name)
    model = tintype.load().model
    (folder / "model").mkdir()
    graphs = {name: optimize(shared.read_graph(model, name)) for name in shared.GRAPHS}
    names = {
        name: f"{name}.{hashlib.sha256(graph).hexdigest()[:16]}.onnx"
        for name, graph in graphs.items()
    }
    for name, graph in graphs.items():
        (folder / "model" / names[name]).write_bytes(graph)
    sizes = {name: len(graph) for name, graph in graphs.items()}
    about = {**shared.describe(model), "model_bytes": sizes, "graphs": names}
    (folder / "engine.json").write_text(json.dumps(about))
    shutil.copy(ROOT / "tools" / "site" / "site.js", folder / "site.js")
    write_page(folder / "index.html")
    write_worker(folder)
    write_licenses(folder)  # which, as the documentation, are not kept for offline use
    make_docs(folder / "docs")


def optimize(graph: bytes) -> bytes:
    """A graph as ONNX Runtime runs it, so that pages need not optimize it.

    Constants are not folded: weights of 16 bits would become 32.
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.log_severity_level = 3  # it warns that what it saves is for machines like this one
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "graph.onnx"
        options.optimized_model_filepath = str(path)
        onnxruntime.InferenceSession(graph, options, disabled_optimizers=["ConstantFolding"])
        return path.read_bytes()


def write_page(path: Path) -> None:
    """Say in the editor's page that the model is in the browser, and what it may load."""
    page = path.read_text(encoding="utf-8")
    if HEAD not in page or "</head>" not in page:
        raise SystemExit(f"{path}: expected {HEAD} in a head, found another page; see POLICY")
    rules = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    page = page.replace(
        HEAD, f'{HEAD}\n    {rules}\n    <meta name="tintype-engine" content="local">'
    )
    page = re.sub(r'\s*<a [^>]*href="docs.html".*?</a>', "", page)  # of the server's routes
    page = page.replace('id="about" hidden', 'id="about"')
    folder = path.parent.resolve()
    links = "".join(
        f'  <link rel="modulepreload" href="{one.relative_to(folder).as_posix()}">\n  '
        for one in find_modules([folder / name for name in MODULES])
    )
    page = page.replace(
        "</head>", f'{links}  <script type="module" src="site.js"></script>\n  </head>'
    )
    path.write_text(page, encoding="utf-8")


def find_modules(modules: list[Path]) -> list[Path]:
    """Modules and all that they import, so that a page asks for them at once."""
    found: list[Path] = []
    waiting = [path.resolve() for path in modules]
    while waiting:
        path = waiting.pop(0)
        if path in found:
            continue
        found.append(path)
        names = re.findall(r'^import [^"]*"(\.[^"]+)";', path.read_text(encoding="utf-8"), re.M)
        waiting += [(path.parent / name).resolve() for name in names]
    return found


def write_licenses(folder: Path) -> None:
    """What is bundled, and under which licenses; ONNX Runtime's are in its Python package."""
    version = json.loads((RUNTIME.parent / "package.json").read_text())["version"]
    package = Path(onnxruntime.__file__).parent
    parts = {
        f"Tintype {tintype.__version__}": ROOT / "LICENSE",
        "The model": ROOT / "src" / "tintype" / "weights" / "NOTICE.md",
        "The sample photographs": STATIC / "samples" / "README.md",
        f"ONNX Runtime Web {version} (what it holds of others: {NOTICES})": package / "LICENSE",
    }
    texts = [f"{name}\n{'=' * len(name)}\n\n{path.read_text()}" for name, path in parts.items()]
    (folder / "licenses.txt").write_text("\n\n".join(texts), encoding="utf-8")
    shutil.copy(package / "ThirdPartyNotices.txt", folder / NOTICES)


def write_worker(folder: Path) -> None:
    """The service worker, which knows all files but the model: that is kept under its hash."""
    files = sorted(
        path for path in folder.rglob("*") if path.is_file() and path.parent.name != "model"
    )
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.read_bytes())
    names = ["./", *(path.relative_to(folder).as_posix() for path in files)]
    text = (ROOT / "tools" / "site" / "sw.js").read_text()
    text = text.replace("@version@", digest.hexdigest()[:12])
    text = text.replace("/* @files@ */", ", ".join(map(json.dumps, names)))
    (folder / "sw.js").write_text(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "site")
    folder = parser.parse_args().folder
    make_site(folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {size / 1e6:.1f} MB; python -m http.server -d {folder}")


if __name__ == "__main__":
    main()

# `make test` makes its own environment and runs every test. It needs package registries, and Python
# 3.11, Node.js with npm, and Chromium, which it installs on Debian and Ubuntu where it may.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: test lint format bench docs site clean have-python have-node have-browser

test: have-python have-node have-browser $(VENV)/ready node_modules/ready
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile

lint: $(VENV)/ready node_modules/ready
	$(BIN)/ruff check src tests benchmarks tools experiments
	$(BIN)/ruff format --check src tests benchmarks tools experiments
	$(BIN)/mypy
	npx --no-install tsc -p jsconfig.json

format: $(VENV)/ready
	$(BIN)/ruff check --fix src tests benchmarks tools experiments
	$(BIN)/ruff format src tests benchmarks tools experiments

bench: have-browser $(VENV)/ready node_modules/ready
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/upsample.py
	$(BIN)/python benchmarks/editor.py
	$(BIN)/python benchmarks/browser.py
	$(BIN)/python benchmarks/pack.py --photos 2000
	$(BIN)/python benchmarks/stream.py
	$(BIN)/python benchmarks/scale.py
	$(BIN)/python benchmarks/hostile.py

docs: have-browser $(VENV)/ready
	$(BIN)/python tools/make_pictures.py
	$(BIN)/python tools/make_gallery.py
	$(BIN)/python tools/make_editor_picture.py

# The editor as static files with the model in it: python -m http.server -d site
site: $(VENV)/ready node_modules/ready
	$(BIN)/python tools/make_site.py

# The constraints pin torch to the version whose wheel computes on the processor alone.
$(VENV)/ready: pyproject.toml constraints.txt | have-python
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[archival,heif,jxl,train,ray,dev]'
	touch $@

# What checks the editor, its types and whether everybody can use it, and ONNX Runtime for the site.
node_modules/ready: package.json package-lock.json | have-node
	npm ci --silent --no-audit --no-fund
	touch $@

have-python:
	@PYTHON='$(PYTHON)' tools/install.sh python

have-node:
	@tools/install.sh node

have-browser: $(VENV)/ready
	@PYTHON=$(BIN)/python tools/install.sh browser

clean:
	rm -rf $(VENV) node_modules site .pytest_cache .mypy_cache .ruff_cache

include experiments/paper.mk

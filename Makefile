# `make test` makes its own environment and runs every check; it needs Python 3.11, Node.js with npm,
# Chromium (`make system` installs both on Debian), and package registries.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: test lint format bench docs clean system

test: $(VENV)/ready node_modules/ready
	$(BIN)/python -m pytest

lint: $(VENV)/ready node_modules/ready
	$(BIN)/ruff check src tests benchmarks tools experiments
	$(BIN)/ruff format --check src tests benchmarks tools experiments
	$(BIN)/mypy
	npx --no-install tsc -p jsconfig.json

format: $(VENV)/ready
	$(BIN)/ruff check --fix src tests benchmarks tools experiments
	$(BIN)/ruff format src tests benchmarks tools experiments

bench: $(VENV)/ready
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/upsample.py
	$(BIN)/python benchmarks/editor.py
	$(BIN)/python benchmarks/pack.py --photos 2000
	$(BIN)/python benchmarks/stream.py
	$(BIN)/python benchmarks/scale.py

docs: $(VENV)/ready
	$(BIN)/python tools/make_pictures.py
	$(BIN)/python tools/make_gallery.py
	$(BIN)/python tools/make_editor_picture.py

# The constraints pin torch to the version whose wheel computes on the processor alone.
$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[train,ray,dev]'
	touch $@

# What checks the editor: its types, and whether everybody can use it. The editor needs none of it.
node_modules/ready: package.json package-lock.json
	npm ci --silent --no-audit --no-fund
	touch $@

system:
	(command -v chromium && command -v npm) || (apt-get update -qq && apt-get install -y -qq chromium npm)

clean:
	rm -rf $(VENV) node_modules .pytest_cache .mypy_cache .ruff_cache

include experiments/paper.mk

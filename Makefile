# make demo: install, run the whole method on synthetic languages, print the table.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
SET ?= development
GROUP ?= main
INSTALLED := $(VENV)/.installed

.PHONY: demo test test-slow check docs bench bench-testbed bench-languages languages-report clean install

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: install
	$(BIN)/uxla run testbed --out runs/demo

test: install
	$(BIN)/python -m pytest -q -n auto --dist loadfile -m "not slow"

test-slow: install
	$(BIN)/python -m pytest -q -n auto --dist worksteal -m slow

check: install
	$(BIN)/ruff check src tests bench recipes docs/*.py docs/site hatch_build.py
	$(BIN)/ruff format --check src tests bench recipes docs/*.py docs/site hatch_build.py
	$(BIN)/mypy

docs: install
	$(BIN)/python docs/site/build.py

bench: install
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python bench/genlm.py --short
	$(BIN)/python bench/labelling.py --short
	$(BIN)/python bench/feeding.py --short
	$(BIN)/python bench/training.py --short
	$(BIN)/python bench/table_8.py --short
	$(BIN)/python bench/checkpoint.py --short
	$(BIN)/python bench/endtoend.py --short
	$(BIN)/python bench/testbed.py --short
	$(BIN)/python bench/estimates.py --short

bench-testbed: install
	$(BIN)/python bench/testbed.py
	$(BIN)/python bench/estimates.py

bench-languages: install
	$(BIN)/python bench/languages.py --set $(SET) --group $(GROUP)

languages-report: install
	$(BIN)/python bench/languages_report.py

clean:
	rm -rf $(VENV) runs build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis

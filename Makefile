# make demo    find, prove, query and export a rank-23 scheme of 3x3x3 over GF(2)
# make test    the test suite without its slow and chaos parts
# make lint    ruff and mypy
# make docs    the documentation, in docs/_build/html
# make clean   remove what was built; make distclean also removes .venv
#
# Each makes .venv first, with uv where it is present and pip where it is not. PYTHON names the interpreter that makes it:
#   make demo PYTHON=python3.12

PYTHON ?= python3
export PYTHON
# With it set, each of the many processes that a run or a test starts would compile the sources of numba anew.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin

.NOTPARALLEL:
.PHONY: demo test lint docs clean distclean

demo:
	@bash .ci/venv.sh
	@bash .ci/demo.sh

test:
	@bash .ci/venv.sh dev
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

lint:
	@bash .ci/venv.sh dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

docs:
	@bash .ci/venv.sh docs
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

clean:
	rm -rf build dist docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find engine plugins tests bench docs .ci -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf .venv

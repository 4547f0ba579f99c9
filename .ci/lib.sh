# shellcheck shell=bash
# Sourced by venv.sh and run: one way to make a virtual environment and to install into it, with uv or with pip.

python=${PYTHON:-python3}

# With it set, each of the many processes that a run or a test starts would compile the sources of numba anew.
unset PYTHONDONTWRITEBYTECODE

fail() {
  echo "flipforge: $*" >&2
  exit 2
}

# The shim of a version manager can be on the path and still not run, so uv is asked, not looked up.
have_uv() {
  uv --version >/dev/null 2>&1
}

at_least_311() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# make_venv DIR
make_venv() {
  command -v "$python" >/dev/null || fail "'$python' is not found; name a Python 3.11 or newer: PYTHON=/path/to/python3.11"
  at_least_311 "$python" ||
    fail "Python 3.11 or newer is needed and '$python' is $("$python" --version 2>&1 | tail -n 1); name another: PYTHON=/path/to/python3.11"
  if have_uv; then
    uv venv --quiet --python "$(command -v "$python")" "$1"
  else
    "$python" -m venv "$1" ||
      fail "'$python -m venv' failed: install the venv module (Debian: apt-get install python3-venv) or uv"
  fi
}

# install_into DIR ARGUMENTS...: the arguments are those of `pip install`, which uv shares.
install_into() {
  local venv=$1
  shift
  if have_uv; then
    uv pip install --quiet --python "$venv/bin/python" --constraint constraints.txt "$@"
  else
    # A .venv that uv made holds no pip.
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$venv/bin/python" -m ensurepip >/dev/null
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --constraint constraints.txt "$@"
  fi
}

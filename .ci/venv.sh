#!/usr/bin/env bash
# Makes .venv and installs flipforge into it, editable, with the extras named: `.ci/venv.sh [dev] [docs]`.
# Does nothing when they were installed before from the same pyproject.toml, constraints.txt and version.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

venv=.venv
if ! at_least_311 "$venv/bin/python"; then
  rm -rf "$venv"
  make_venv "$venv"
fi

digest=$({ cat pyproject.toml constraints.txt; grep '^__version__' engine/flipforge/__init__.py; } | sha256sum | cut -d ' ' -f 1)
stamp=$venv/.flipforge-installed
wanted=
for extra in core "$@"; do
  grep -qsx "$digest $extra" "$stamp" || wanted=yes
done
[ -n "$wanted" ] || exit 0

extras=$(IFS=,; echo "$*")
echo "==> installing flipforge${extras:+[$extras]} into $venv with $(have_uv && echo uv || echo pip)"
install_into "$venv" --editable ".${extras:+[$extras]}"
for extra in core "$@"; do
  echo "$digest $extra"
done >>"$stamp"

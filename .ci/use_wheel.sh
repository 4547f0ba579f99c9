#!/usr/bin/env bash
# Uses an installed wheel as a stranger would: `use_wheel.sh SCRATCH`, where SCRATCH/venv holds it and nothing of the tree is seen.
set -euo pipefail
scratch=$1
cd "$scratch"
bin=$scratch/venv/bin
unset PYTHONPATH

"$bin/python" - "$scratch" <<'PY'
import sys
from pathlib import Path

import flipforge
from flipforge.catalogue import shipped_schemes

if not Path(flipforge.__file__).is_relative_to(sys.argv[1]):
    sys.exit(f"flipforge was imported from {flipforge.__file__}, not from the wheel")
if not (shipped_schemes() / "best_known.csv").is_file():
    sys.exit(f"the wheel's catalogue at {shipped_schemes()} holds no best_known.csv")
PY

"$bin/flipforge" --version
"$bin/flipforge" plugins --json >plugins.json
"$bin/flipforge" search matmul:2x2x2 --ring GF2 --target-rank 7 --workers 1 --seed 1 --db "$scratch/catalogue.sqlite" --json >search.json
"$bin/python" - <<'PY'
import json
import sys
from pathlib import Path

plugins = json.loads(Path("plugins.json").read_text())
found = json.loads(Path("search.json").read_text())
if not any(plugin["name"] == "numpy" for plugin in plugins):
    sys.exit(f"the numpy exporter is not among the plugins: {plugins}")
if not (found["target_reached"] and found["rank"] == 7):
    sys.exit(f"2x2x2 ended at rank {found['rank']}, not 7")
print(f"plugins: {', '.join(plugin['name'] for plugin in plugins)}; 2x2x2 over GF(2): rank {found['rank']}, scheme {found['scheme']}")
PY

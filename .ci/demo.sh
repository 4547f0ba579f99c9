#!/usr/bin/env bash
# The demo: finds a rank-23 scheme of 3x3x3 over GF(2) from the standard algorithm, proves it, finds it again in the
# catalogue, exports it and runs what was exported. Any step that fails ends it.
set -euo pipefail
cd "$(dirname "$0")/.."

flipforge=.venv/bin/flipforge
out=build/demo
db=$out/catalogue.sqlite
rm -rf "$out"
mkdir -p "$out"

step() {
  printf '\n==> %s\n' "$*"
}

step "search: 3x3x3 over GF(2) from the standard algorithm (rank 27) down to rank 23"
"$flipforge" search matmul:3x3x3 --ring GF2 --target-rank 23 --workers 2 --seed 23 --db "$db" --json >"$out/search.json"
cat "$out/search.json"
id=$(.venv/bin/python - "$out/search.json" <<'PY'
import json
import sys
from pathlib import Path

found = json.loads(Path(sys.argv[1]).read_text())
if not (found["target_reached"] and found["rank"] <= 23 and found["scheme"]):
    sys.exit(f"the search ended at rank {found['rank']}, not 23")
print(found["scheme"])
PY
)

step "proof: verify $id, every Brent equation, in exact integers"
"$flipforge" verify "$id" --db "$db"

step "query: schemes of 3x3x3 over GF(2) with at most 23 products"
"$flipforge" query matmul:3x3x3 --ring GF2 --max-rank 23 --db "$db"
"$flipforge" query matmul:3x3x3 --ring GF2 --max-rank 23 --db "$db" --json >"$out/query.json"
.venv/bin/python - "$out/query.json" "$id" <<'PY'
import json
import sys
from pathlib import Path

rows = json.loads(Path(sys.argv[1]).read_text())
if not any(row["id"] == sys.argv[2] for row in rows):
    sys.exit(f"{sys.argv[2]} is not among the {len(rows)} rows of the query")
PY

step "export: NumPy module for $id, run against A @ B"
"$flipforge" export "$id" --target numpy --out "$out/export" --check --db "$db"

step "done: scheme $id, rank 23, found, proved, catalogued and exported"
echo "catalogue: $db"
for file in "$out"/export/*; do
  echo "exported:  $file"
done

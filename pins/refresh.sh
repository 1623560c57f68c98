#!/usr/bin/env bash
# Writes pins/*.txt anew from pins/*.in: exact versions with hashes and no address of any index.
set -euo pipefail
cd "$(dirname "$0")"
command -v pip-compile >/dev/null || { echo "pins/refresh.sh: install pip-tools first (pip install pip-tools)" >&2; exit 1; }
for name in runtime test; do
  pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header --no-annotate \
    --no-emit-index-url --no-emit-find-links "$name.in" -o "$name.txt"
done
! grep -nE '://|--(extra-)?index-url|--find-links' ./*.txt

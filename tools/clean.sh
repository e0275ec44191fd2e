#!/usr/bin/env bash
# Removes build/, unless something of it is still mounted (hosts of a running lab).
set -euo pipefail
cd "$(dirname "$0")/.."

if grep -qs " $PWD/build/" /proc/mounts; then
    echo "clean: hosts of the lab still use build/; run '.venv/bin/python -m lab down' first" >&2
    exit 1
fi
rm -rf build .mypy_cache .pytest_cache .ruff_cache

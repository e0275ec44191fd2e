#!/usr/bin/env bash
# Removes build/, unless hosts of a running lab stand on it; their mounts are in namespaces of their own.
set -euo pipefail
cd "$(dirname "$0")/.."

if pgrep -f -- "--directory=$PWD/build/" > /dev/null; then
    echo "clean: hosts of the lab still use build/; run '.venv/bin/python -m lab down' first" >&2
    exit 1
fi
rm -rf build .mypy_cache .pytest_cache .ruff_cache

#!/usr/bin/env bash
# ansible-lint as `make lint` runs it. It finds our own modules and roles in build/tree.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/tree.sh >/dev/null
export PATH="$PWD/.venv/bin:$PATH" ANSIBLE_COLLECTIONS_PATH="$PWD/build/tree"
unset ANSIBLE_CONFIG
exec ansible-lint --nocolor --offline --strict

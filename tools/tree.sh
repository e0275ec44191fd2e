#!/usr/bin/env bash
# Lays the collection out where Ansible and Python look for it: build/tree/ansible_collections/patchtide/hybrid,
# one symlink per top-level item of the artifact, so that nothing inside leads back to build/.
set -euo pipefail
cd "$(dirname "$0")/.."

tree=build/tree/ansible_collections/patchtide/hybrid
mkdir -p "$tree" build/log build/report
for item in plugins roles playbooks meta schemas examples templates reports dashboard extensions awx docs changelogs tests galaxy.yml README.md; do
    if [ -e "$item" ]; then
        [ -L "$tree/$item" ] || ln -s "../../../../../$item" "$tree/$item"
    else
        rm -f "$tree/$item"
    fi
done

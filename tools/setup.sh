#!/usr/bin/env bash
# Sets up what the Makefile's targets need. One line per step on the screen, the details in build/log/.
#   tools/setup.sh system       Debian packages for the checks, where root and missing
#   tools/setup.sh system-lab   those that the lab needs
#   tools/setup.sh python       the virtual environment .venv with everything
#   tools/setup.sh lab          the same with what the lab needs
#   tools/setup.sh azure-rm     a virtual environment with what azure.azcollection needs
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build/log

# command=package, for the checks. The lab installs what its real hosts need by itself.
LAB_PACKAGES=(ssh-keygen=openssh-client)
PACKAGES=(shellcheck=shellcheck "${LAB_PACKAGES[@]}")

# quietly LOG COMMAND…: the log's last lines only if it fails.
quietly() {
    local log=build/log/$1
    shift
    "$@" >"$log" 2>&1 </dev/null && return
    tail -n 30 "$log" >&2
    echo "setup: failed: $* (see $log)" >&2
    return 1
}

apt_install() {
    export DEBIAN_FRONTEND=noninteractive
    quietly apt-update.log apt-get update
    quietly apt-install.log apt-get install -y --no-install-recommends "$@"
}

# The first of these that the pinned ansible-core supports.
find_python() {
    local python
    for python in python3.11 python3.12 python3.13 python3; do
        if "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    echo "setup: needs Python 3.11, 3.12 or 3.13 for ansible-core 2.19; found: $(python3 -V 2>&1 || true)" >&2
    return 1
}

system() {
    local pair missing=()
    for pair in "$@"; do
        PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" != 0 ]; then
        echo "setup: not root, so these packages are left out: ${missing[*]}"
    elif ! command -v apt-get >/dev/null; then
        echo "setup: no apt-get here; install by hand what provides: ${missing[*]}"
    else
        echo "setup: apt packages: ${missing[*]}"
        apt_install "${missing[@]}"
    fi
}

make_venv() {
    local python=$1
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        if [ "$(id -u)" != 0 ]; then
            echo "setup: $python has no venv module; ask root for: apt-get install python3-venv" >&2
            return 1
        fi
        echo "setup: apt packages: python3-venv"
        apt_install python3-venv
    fi
    echo "setup: virtual environment .venv with $("$python" -V)"
    quietly venv.log "$python" -m venv --clear .venv
}

# install REQUIREMENTS: into .venv, which is made if it is not there.
install() {
    local interpreter
    interpreter=$(find_python)
    exec 9>build/setup.lock
    flock 9
    .venv/bin/python -m pip --version >/dev/null 2>&1 || make_venv "$interpreter"
    echo "setup: Python packages of $1 (a few minutes the first time; see build/log/pip.log)"
    PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
        quietly pip.log .venv/bin/python -m pip install --no-input --no-compile --progress-bar off -r "$1" -c constraints.txt
}

# The lab needs two collections; the package ansible would bring 250 MB of others.
lab() {
    install requirements-lab.txt
    quietly collections.log .venv/bin/python tools/stock_collections.py .venv
    touch .venv/.lab
}

python() {
    install requirements-dev.txt
    touch .venv/.lab .venv/.ready
}

# The requirements of azure.azcollection, which pin other versions of what .venv has.
azure_rm() {
    [ ! -e build/azure_rm/.ready ] || return 0
    echo "setup: requirements of azure.azcollection in build/azure_rm, 1.6 GB (see build/log/azure_rm.log)"
    quietly azure_rm.log "$(find_python)" -m venv --clear build/azure_rm
    PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
        quietly azure_rm.log build/azure_rm/bin/python -m pip install --no-input --no-compile --progress-bar off \
        "$(grep '^ansible==' requirements-dev.txt)" \
        -r .venv/lib/python3*/site-packages/ansible_collections/azure/azcollection/requirements.txt
    touch build/azure_rm/.ready
}

case "${1:-}" in
system) system "${PACKAGES[@]}" ;;
system-lab) system "${LAB_PACKAGES[@]}" ;;
python | lab) "$1" ;;
azure-rm) azure_rm ;;
*)
    echo "usage: tools/setup.sh system|system-lab|python|lab|azure-rm" >&2
    exit 2
    ;;
esac

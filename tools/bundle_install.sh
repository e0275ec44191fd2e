#!/bin/sh
# Installs patchtide.hybrid, amazon.aws, ansible.windows, ansible-core and the Python packages without network.
#   sh install.sh [--rehearsal] [DIRECTORY]     DIRECTORY: ~/patchtide if not given
# --rehearsal also installs the lab, and the command patchtide-rehearse. PYTHON names another interpreter.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
rehearsal=
if [ "${1:-}" = --rehearsal ]; then
    rehearsal=yes
    shift
fi
case "${1:-}" in
-*)
    echo "usage: sh install.sh [--rehearsal] [DIRECTORY]" >&2
    exit 2
    ;;
esac
place=${1:-$HOME/patchtide}

found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo none)
if [ "$found" != "@PYTHON@" ]; then
    echo "install.sh: this bundle is for Python @PYTHON@ on @PLATFORM@, and $python is Python $found." >&2
    echo "Set PYTHON to a Python @PYTHON@, or build a bundle with: make bundle B=\"--python $found\"" >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "install.sh: $python has no venv module; on Debian it is in the package python3-venv" >&2
    exit 1
fi

"$python" -m venv "$place"
set -- -r "$here/requirements.txt"
[ -z "$rehearsal" ] || set -- "$@" -r "$here/requirements-lab.txt"
"$place/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --find-links "$here/wheels" "$@"
# Beside ansible-core, where it is found from every directory.
site=$("$place/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
ANSIBLE_COLLECTIONS_PATH=$site "$place/bin/ansible-galaxy" collection install --offline --force -p "$site" "$here"/collections/*.tar.gz
if [ -n "$rehearsal" ]; then
    mkdir -p "$place/share"
    rm -rf "$place/share/patchtide"
    cp -R "$here/lab" "$place/share/patchtide"
    printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s" -m lab.rehearse "$@"\n' \
        "$place/share/patchtide" "$place/bin/python" >"$place/bin/patchtide-rehearse"
    chmod +x "$place/bin/patchtide-rehearse"
fi
echo "Installed in $place. Begin with: . $place/bin/activate"

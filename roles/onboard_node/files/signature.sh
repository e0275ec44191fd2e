# shellcheck shell=sh
# signature.sh KEY SIGNATURE FILE: fails unless the key has signed the file, and neither key nor signature has expired.
set -eu
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
gpg --homedir "$home" --batch --quiet --no-autostart --import "$1"
said=$(gpg --homedir "$home" --batch --no-autostart --status-fd 1 --verify "$2" "$3") || true
case $said in
*"[GNUPG:] GOODSIG "*) ;;
*) printf '%s\n' "$said" >&2 && exit 1 ;;
esac

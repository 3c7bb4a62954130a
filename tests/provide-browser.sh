#!/bin/sh
# Makes sure that the tests of the HTML pages have a browser: Debian's chromium, installed where that is allowed.
# Prints RECONCILER_NO_BROWSER=1 where there is none to be had, so that those tests are skipped, and say so.
set -eu
if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        export DEBIAN_FRONTEND=noninteractive
        { apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium chromium-driver; } >&2 || true
    fi
fi
if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null; then
    echo "no chromium: the tests of the HTML pages are skipped (Debian: apt-get install chromium chromium-driver)" >&2
    echo RECONCILER_NO_BROWSER=1
fi

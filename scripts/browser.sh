#!/bin/sh
# Find Chromium for the browser tests, or install it: from Debian's packages as root, on macOS by Playwright.
# Where neither works the browser tests are skipped, loudly; with CI set that is a failure.
bin=${1:-.venv/bin}
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null 2>&1 && exit 0
done
[ -n "${SHOUXIN_CHROMIUM:-}" ] && [ -x "$SHOUXIN_CHROMIUM" ] && exit 0
echo "== installing Chromium for the browser tests"
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-cjk >/dev/null && exit 0
elif [ "$(uname)" = Darwin ]; then
  "$bin/playwright" install chromium && exit 0
fi
echo "****************************************************************************************"
echo "** No Chromium here: THE BROWSER TESTS WILL BE SKIPPED.                                **"
echo "** Install it (Debian: sudo apt-get install chromium fonts-noto-cjk) or set            **"
echo "** SHOUXIN_CHROMIUM to its path, then run again.                                       **"
echo "****************************************************************************************"
[ -n "${CI:-}" ] && exit 1
exit 0

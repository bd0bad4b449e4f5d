"""Find the browser that the tests drive, or install one: ``python -m tests.chromium``."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

_NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
_MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def installed_browser() -> str | None:
    """Return the path of an installed Chromium or Chrome that works. ``None``: Playwright's own is to be used."""
    found = [*filter(None, map(shutil.which, _NAMES)), *([str(_MAC)] if _MAC.exists() else [])]
    # A package that only stands for another one answers with an error.
    return next((path for path in found if _runs([path, "--version"])), None)


def main() -> None:
    if installed_browser() or _playwright_has_one():
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        sys.stdout.write("Installing Debian's Chromium …\n")
        _runs(["apt-get", "update", "-qq"])
        _runs(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"])
        if installed_browser():
            return
    sys.stdout.write("Installing Playwright's Chromium …\n")
    _runs([sys.executable, "-m", "playwright", "install", "chromium"])
    if not _playwright_has_one():
        sys.exit("No browser for the tests: install Chromium or Chrome, or run .venv/bin/playwright install chromium.")


def _playwright_has_one() -> bool:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


def _runs(command: list[str]) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.returncode == 0


if __name__ == "__main__":
    main()

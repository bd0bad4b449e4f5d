"""Install exactly what a requirements file pins into `.venv`. Uses the standard library alone, and a
syntax that any Python 3 can read.

    python3 organizing/local/install.py requirements.txt [requirements-dev.txt]

Of several files the first that is installed already will do, and else the first is installed: so what development
needs on top is not taken away by running the site. A second call changes nothing and takes no time.
"""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

LOWEST = (3, 11)
VENV = Path(".venv")
PYTHON = VENV / "bin" / "python"


def main(files: "list[str]") -> None:
    if sys.version_info < LOWEST:
        sys.exit(f"Python {sys.version.split()[0]} is too old: run make PYTHON=python3.11 (or later).")
    stamp = VENV / "installed"
    pinned = {name: f"{name} {hashlib.sha256(Path(name).read_bytes()).hexdigest()}" for name in files}
    if PYTHON.exists() and stamp.exists() and stamp.read_text() in pinned.values() and runs([PYTHON, "-c", ""]):
        return
    if not (PYTHON.exists() and runs([PYTHON, "-c", "import pip"])):
        say("Making .venv …")
        if not runs([sys.executable, "-m", "venv", "--clear", VENV]):
            sys.exit("Python cannot make .venv: install its venv module (on Debian: apt install python3-venv).")
    say("Installing what " + files[0] + " pins …")
    stamp.unlink(missing_ok=True)
    if not (VENV / "bin" / "uv").exists():
        do([PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv"])
    do([VENV / "bin" / "uv", "pip", "sync", "--quiet", "--python", PYTHON, "--require-hashes", files[0]])
    stamp.write_text(pinned[files[0]])


def runs(command: "list[Any]") -> bool:
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def do(command: "list[Any]") -> None:
    if subprocess.run(command, env=environment(), check=False).returncode != 0:
        sys.exit("Installing failed, as said above: is the package index reachable? Then run the same command again.")


def environment() -> "dict[str, str]":
    """Return the environment, with the index and certificates that pip has been told to use; uv does not ask pip."""
    told = dict(os.environ)
    asked = [str(PYTHON), "-m", "pip", "config", "list"]
    done = subprocess.run(asked, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    pip = dict(re.findall(r"(?m)^(?:global|:env:)\.([a-z-]+)='(.*)'$", done.stdout))
    if "index-url" in pip and not {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & set(told):
        told["UV_DEFAULT_INDEX"] = pip["index-url"]
    if "cert" in pip:
        told.setdefault("SSL_CERT_FILE", pip["cert"])
    return told


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])

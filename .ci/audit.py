"""Look the pinned packages up among the known vulnerabilities: ``python .ci/audit.py requirements.txt``.

Fails on a vulnerability. When the advisories cannot be reached, says so and does not fail: pip-audit itself calls that
"no known vulnerabilities found".
"""

import json
import subprocess
import sys


def main(requirements: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "-r", requirements, "-f", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        sys.exit(_unreachable(last) if "onnection" in last or "imeout" in last else last)
    bad = [(p["name"], p["version"], v["id"]) for p in packages for v in p.get("vulns", [])]
    unseen = [p["name"] for p in packages if "skip_reason" in p]
    for name, version, advisory in bad:
        sys.stderr.write(f"{name} {version}: {advisory}\n")
    if bad:
        sys.exit("Known vulnerabilities: run make lock, or pin the version that is mended.")
    if len(unseen) == len(packages):
        _unreachable("no package was found there")
    elif unseen:
        sys.stderr.write(f"WARNING: not audited: {', '.join(unseen)}\n")


def _unreachable(why: str) -> int:
    sys.stderr.write(f"WARNING: the advisory service cannot be reached, so nothing was audited ({why}).\n")
    return 0


if __name__ == "__main__":
    main(sys.argv[1])

"""``make bench [ONLY=name]``: measure, and print a JSON object for each figure and a table. See README.md."""

import argparse
import os
import sys
from collections.abc import Iterator

from tests.bench import benches
from tests.bench.figures import Figure, table
from tests.bench.places import VAR


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("only", nargs="?", choices=sorted(benches.ALL))
    only = parser.parse_args().only
    for name in ("DATABASE_URL", "DATABASE_ROLE", "REDIS_URL", "EMAIL_URL", "SECRET_KEY", "DEBUG"):
        os.environ.pop(name, None)
    os.environ["ORGANIZING_VAR"] = str(VAR)

    from organizing.local import servers

    servers.hold_postgres(VAR, durable=True)
    figures: list[Figure] = []
    try:
        for figure in _measured([only] if only else list(benches.ALL)):
            print(figure.as_json(), flush=True)
            figures.append(figure)
    finally:
        servers.release_postgres(VAR)
    print(f"\n{table(figures)}")
    return 0 if all(figure.ok for figure in figures) else 1


def _measured(names: list[str]) -> Iterator[Figure]:
    for name in names:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        yield from benches.ALL[name]()


sys.exit(main())

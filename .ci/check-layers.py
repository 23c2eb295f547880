#!/usr/bin/env python3
"""The boundaries of ADR 0001: which crate may name what, and no room imports another room."""
import pathlib
import re
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
SERVICES = {"ingest", "projector", "query-api"}
ENGINES = {"engines", "server"}

# Crate → what its Cargo.toml may not name, under [dependencies] or [dev-dependencies].
NEVER = {
    "schemas": SERVICES | ENGINES | {"runtime", "migrations", "verify", "axum", "clickhouse", "rdkafka", "reqwest", "sqlx", "tokio"},
    # Methods: no I/O and nothing of ours.
    "insights": SERVICES | ENGINES | {"schemas", "runtime", "migrations", "verify", "axum", "clickhouse", "rdkafka", "reqwest", "sqlx", "tokio"},
    # Pages, from what they are given.
    "web": SERVICES | ENGINES | {"schemas", "runtime", "migrations", "verify", "insights", "axum", "clickhouse", "rdkafka", "reqwest", "sqlx", "tokio"},
    "runtime": SERVICES | ENGINES | {"migrations", "verify", "clickhouse"},
    "migrations": SERVICES | ENGINES | {"verify"},
    # The command side knows no projection's store.
    "ingest": ENGINES | {"projector", "query-api", "migrations", "verify", "clickhouse"},
    "projector": ENGINES | {"ingest", "query-api", "axum"},
    # The read side appends nothing.
    "query-api": ENGINES | {"ingest", "projector", "migrations", "verify"},
    # The reference fold shares the contract with what it checks, and nothing else.
    "verify": SERVICES | ENGINES | {"runtime", "migrations", "insights"},
    # Made-up traffic knows nothing of ours but, in its tests, what must accept it.
    "benches/traffic": (SERVICES - {"ingest"}) | ENGINES | {"runtime", "migrations", "verify", "insights", "axum", "clickhouse", "rdkafka", "reqwest", "sqlx", "tokio"},
    # The engines are engines, whoever uses them.
    "engines": SERVICES | {"schemas", "runtime", "migrations", "verify", "server"},
}

# The projector's tests compare it with the reference fold, those of the traffic ask what accepts it; their code may not.
NEVER_OUTSIDE_TESTS = {"projector": {"verify"}, "benches/traffic": {"ingest", "schemas"}}

# Folder of rooms → what one room may use of another.
ROOMS = {
    "projector/src/projections": {("workspace", "price_tables")},
    "query-api/src/queries": {("traces", "visible"), ("traces", "TraceRow")},
    "ingest/src/commands": {("traces", "path_id")},
}

PRODUCERS = re.compile(r"rdkafka::producer|\b(Future|Base|Threaded)Producer\b")
COMMENT = re.compile(r"//.*")
# `super::super::a::{b, c}`, `crate::a::b`, `self::a`.
PATH = re.compile(r"\b(crate|self|super)((?:::(?:[A-Za-z_]\w*))*)(::\{)?")


def dependencies(crate, sections):
    manifest = tomllib.loads((ROOT / crate / "Cargo.toml").read_text())
    named = set()
    for section in sections:
        for name, value in manifest.get(section, {}).items():
            named.add(name.removeprefix("retrace-"))
            if isinstance(value, dict) and "package" in value:
                named.add(value["package"].removeprefix("retrace-"))
    return named


def check_crates():
    for table, sections in ((NEVER, ("dependencies", "dev-dependencies", "build-dependencies")), (NEVER_OUTSIDE_TESTS, ("dependencies",))):
        for crate, never in table.items():
            for name in sorted(dependencies(crate, sections) & never):
                yield f"{crate}/Cargo.toml names {name}"


def check_producers():
    for path in sorted((ROOT / "query-api/src").rglob("*.rs")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if PRODUCERS.search(COMMENT.sub("", line)):
                yield f"{path.relative_to(ROOT)}:{number} names a Kafka producer"


def module_of(path, source):
    """The module that a file is, as a list of names from the crate's root."""
    parts = list(path.relative_to(source).with_suffix("").parts)
    return parts[:-1] if parts[-1] in ("mod", "lib") else parts


def group_at(text, at):
    """The comma separated items of the braces that end just before `at`, nested ones whole."""
    depth, item = 1, ""
    for char in text[at:]:
        depth += (char == "{") - (char == "}")
        if depth == 0 or (depth == 1 and char == ","):
            yield item.strip()
            item = ""
            if depth == 0:
                return
        else:
            item += char


def absolute_paths(text, module):
    """(line, path from the crate's root) of every relative or crate path in a file."""
    for match in PATH.finditer(text):
        names = [name for name in match.group(2).split("::") if name]
        base = {"crate": [], "self": module, "super": module[:-1]}[match.group(1)]
        while names and names[0] == "super":
            base, names = base[:-1], names[1:]
        line = text.count("\n", 0, match.start()) + 1
        if match.group(3):
            for item in group_at(text, match.end()):
                yield line, base + names + [name for name in re.split(r"::|[{},\s]+", item) if name]
        else:
            yield line, base + names


def check_rooms():
    for folder, allowed in ROOMS.items():
        folder = ROOT / folder
        source = next(parent for parent in folder.parents if parent.name == "src")
        above = list(folder.relative_to(source).parts)
        rooms = {entry.stem for entry in folder.iterdir() if entry.stem != "mod"}
        for path in sorted(folder.rglob("*.rs")):
            module = module_of(path, source)
            if module == above:
                continue
            room = module[len(above)]
            text = COMMENT.sub("", path.read_text())
            for line, names in absolute_paths(text, module):
                used = names[len(above):]
                if names[: len(above)] != above or not used or used[0] not in rooms or used[0] == room:
                    continue
                if tuple(used[:2]) not in allowed:
                    yield f"{path.relative_to(ROOT)}:{line} room `{room}` uses {'::'.join(names)}"


def main():
    faults = [*check_crates(), *check_producers(), *check_rooms()]
    if faults:
        sys.exit("check-layers: the boundaries of docs/adr/0001-crates-and-rooms.md are crossed\n  " + "\n  ".join(faults))
    print(f"check-layers: {len(NEVER)} crates and {len(ROOMS)} folders of rooms keep their boundaries")


if __name__ == "__main__":
    main()

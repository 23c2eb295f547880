#!/usr/bin/env python3
"""Check table.json offline: shape, decimals, unique ids, order, no gaps or overlaps."""

import json
import pathlib
import re
import sys

FIELDS = ["input", "output", "cache_read", "cache_write", "cache_write_1h"]
DECIMAL = re.compile(r"^(0|[1-9]\d{0,6})(\.\d{0,9}[1-9])?$")
STAMP = re.compile(r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$")
IDENT = re.compile(r"^[a-z0-9][a-z0-9._:/@+~-]*$")
LIMIT, LEAST = 1024 * 1024, 200


def fail(text):
    print(f"The price table is not sound: {text}", file=sys.stderr)
    sys.exit(1)


def need(ok, text):
    if not ok:
        fail(text)


def keys(value, names, where):
    need(isinstance(value, dict), f"{where} is not an object.")
    need(list(value) == names, f"{where} has the fields {list(value)}, not {names}.")


def prices(value, where):
    for field in FIELDS:
        figure = value[field]
        if figure is None:
            need(field not in ("input", "output"), f"{where} has no {field} price.")
            continue
        need(isinstance(figure, str) and DECIMAL.match(figure),
             f"{where} has the {field} price {figure!r}, which is not plain decimal text.")


def twice(pairs):
    found = {}
    for key, value in pairs:
        need(key not in found, f"the field {key} occurs twice in one object.")
        found[key] = value
    return found


def main():
    path = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent / "table.json"
    try:
        raw = path.read_bytes()
        table = json.loads(raw.decode("utf-8"), object_pairs_hook=twice)
    except (OSError, ValueError) as error:
        fail(f"{path.name} cannot be read: {error}.")
    need(len(raw) <= LIMIT, f"it is {len(raw)} bytes, more than {LIMIT}.")
    keys(table, ["version", "currency", "unit", "sources", "models"], "the table")
    need(isinstance(table["version"], str) and re.match(r"^\d{4}-\d{2}-\d{2}$", table["version"]),
         "its version is not a date.")
    need(table["currency"] == "USD" and table["unit"] == "per 1,000,000 tokens", "its currency or unit is another.")
    need(isinstance(table["sources"], list) and table["sources"], "it names no sources.")
    tags = set()
    for source in table["sources"]:
        keys(source, ["name", "version", "licence"], "a source")
        need(all(isinstance(v, str) and v for v in source.values()), "a source has an empty field.")
        tags.add(f"{source['name']} {source['version']}")
    models = table["models"]
    need(isinstance(models, list) and len(models) >= LEAST, f"it has fewer than {LEAST} models.")
    seen, before = {}, ("", "")
    for model in models:
        where = f"the model {model.get('model') if isinstance(model, dict) else model!r}"
        keys(model, ["provider", "model", "aliases", "prices"], where)
        need(isinstance(model["provider"], str) and re.match(r"^[a-z0-9_]+$", model["provider"]),
             f"{where} has no sound provider.")
        need(isinstance(model["model"], str), f"{where} has no name.")
        order = (model["provider"], model["model"])
        need(order > before, f"{where} is out of order.")
        before = order
        aliases = model["aliases"]
        need(isinstance(aliases, list), f"{where} has no list of aliases.")
        for name in [model["model"]] + aliases:
            need(isinstance(name, str) and IDENT.match(name) and len(name) <= 200, f"{where} has the unsound id {name!r}.")
            need(name not in seen, f"the id {name} belongs to {seen.get(name)} and to {model['model']}.")
            seen[name] = model["model"]
        need(aliases == sorted(aliases), f"{where} has aliases out of order.")
        rows = model["prices"]
        need(isinstance(rows, list) and rows, f"{where} has no prices.")
        for n, row in enumerate(rows):
            keys(row, ["valid_from", "valid_to", "source"] + FIELDS + ["tiers"], f"a price of {where}")
            start, end = row["valid_from"], row["valid_to"]
            for stamp in (start, end):
                need(stamp is None or (isinstance(stamp, str) and STAMP.match(stamp)), f"{where} has the unsound date {stamp!r}.")
            need(n == 0 or start is not None, f"{where} has a later price without a start.")
            need(end is None or start is None or start < end, f"{where} has a price that ends before it starts.")
            if n + 1 < len(rows):
                need(end is not None and end == rows[n + 1]["valid_from"],
                     f"{where} has prices that overlap or leave a gap at {end}.")
            else:
                need(end is None, f"{where} has no price after {end}.")
            need(isinstance(row["source"], str) and any(row["source"].startswith(t) for t in tags),
                 f"{where} has a price from the unnamed source {row['source']!r}.")
            prices(row, where)
            need(isinstance(row["tiers"], list), f"{where} has no list of tiers.")
            above = 0
            for tier in row["tiers"]:
                keys(tier, ["above_input_tokens"] + FIELDS, f"a tier of {where}")
                need(type(tier["above_input_tokens"]) is int and tier["above_input_tokens"] > above,
                     f"{where} has tiers out of order.")
                above = tier["above_input_tokens"]
                prices(tier, f"a tier of {where}")
    print(f"The price table is sound: {len(models)} models, {len(seen)} ids, {len(raw)} bytes.")


if __name__ == "__main__":
    main()

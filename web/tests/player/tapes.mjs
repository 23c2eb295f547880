// The traces that the test publishes and plays: one to look at, one that means harm, one of ten thousand spans.

import { deflateSync, crc32 } from "node:zlib";

const START = Date.parse("2026-11-24T09:00:00Z");

/** A picture of colours, as a base64 PNG. */
function picture(width, height) {
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) rows.set([(x * 255) / width, (y * 255) / height, 180], y * (1 + width * 3) + 1 + x * 3);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8);
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const ends = [Buffer.alloc(4), Buffer.alloc(4)];
    ends[0].writeUInt32BE(data.length);
    ends[1].writeUInt32BE(crc32(body));
    return Buffer.concat([ends[0], body, ends[1]]);
  };
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const parts = [signature, chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat(parts).toString("base64");
}

/** A span from `start` on for `took` milliseconds; `parent` is another span. */
function span(span_type, name, start, took, parent, rest = {}) {
  return {
    id: crypto.randomUUID(),
    parent_id: parent?.id ?? null,
    span_type,
    name,
    started_at: new Date(START + start).toISOString(),
    ended_at: new Date(START + start + took).toISOString(),
    duration_ms: took,
    ...rest,
  };
}

const model = (name, input_tokens, output_tokens, cost) => ({ model: name, input_tokens, output_tokens, cost });

function search(query, start, took, root, error) {
  const results = Array.from({ length: 5 }, (_, i) => ({
    title: `${query}: report ${i + 1}`,
    url: `https://example.org/report/${i}`,
    score: Math.round(93 - 8 * i) / 100,
    snippet: "Counts at 120 fixed stations fell by a third between 2015 and 2024, most of it after the ring road lost a lane.",
  }));
  const call = span("tool_call", "web_search", start, took, root, {
    input: { query, limit: 5 },
    output: error ? null : { results, took_ms: took },
    error: error ?? null,
  });
  const read = { input: { bytes: 48211 }, output: { kept: 5, dropped: 2 } };
  return error ? [call] : [call, span("tool_result", "parse_results", start + took * 0.8, took * 0.18, call, read)];
}

function cities() {
  const system = "You are a careful research assistant. Cite a source for every claim. Prefer primary sources, and say when you do not know.";
  const stricter = "You are a careful research assistant. Cite a primary source for every claim, with its date. Say plainly when you do not know.";
  const user = { role: "user", content: "Which European cities cut car traffic the most since 2015, and what did each of them actually do?" };
  const said = { role: "assistant", content: "I will look for traffic counts first, then for the measures behind them." };
  const call = (id, query) => ({ id, type: "function", function: { name: "web_search", arguments: JSON.stringify({ query, limit: 5 }) } });
  const root = span("action", "research_agent", 0, 21400, null, {
    input: { question: user.content, depth: 2 },
    output: { answer: "Three cities stand out: Paris, Ghent and Pontevedra.", sources: 7 },
  });
  const spans = [
    root,
    span("reasoning", "Plan the search", 40, 900, root, {
      input: "Which cities? Traffic counts before and after, not announcements.",
      output: "1. Find traffic counts.\n2. Check what changed.\n3. Cross-check with air quality data.",
    }),
    span("llm_call", "plan", 960, 1840, root, {
      ...model("gpt-4o", 812, 164, 0.00367),
      input: { model: "gpt-4o", temperature: 0.2, messages: [{ role: "system", content: system }, user] },
      output: { ...said, tool_calls: [call("c1", "traffic counts Paris 2015 2024"), call("c2", "Ghent circulation plan")] },
    }),
    ...search("traffic counts Paris 2015 2024", 2850, 2300, root),
    ...search("Ghent circulation plan", 2880, 1700, root),
    ...search("Pontevedra car-free centre", 2910, 3100, root, "TimeoutError: upstream did not answer within 3000 ms\n  at fetch (search.py:88)"),
    ...search("Pontevedra car-free centre results", 6100, 1500, root),
    span("llm_call", "read sources", 7700, 4200, root, {
      ...model("claude-sonnet-4-5", 3140, 611, 0.01859),
      input: {
        system: stricter,
        messages: [
          user,
          { role: "assistant", content: [{ type: "text", text: "One report has a chart." }, { type: "tool_use", id: "t1", name: "read_chart", input: { page: 4 } }] },
          {
            role: "user",
            content: [
              { type: "tool_result", tool_use_id: "t1", content: "Counts fell by 34 %." },
              { type: "image", source: { type: "base64", media_type: "image/png", data: picture(240, 120) } },
            ],
          },
        ],
        max_tokens: 1024,
      },
      output: { role: "assistant", content: [{ type: "text", text: "Paris: −34 % (2015–2024). Ghent: −25 % in a year. Pontevedra: −53 % inside the ring." }] },
    }),
    span("action", "write_file", 12000, 160, root, { input: { path: "notes/cities.md" }, output: { ok: true, bytes: 2214 } }),
    span("fork_point", "before the answer", 12300, 0, root, { input: { reason: "manual" } }),
    span("llm_call", "answer", 12400, 8600, root, {
      ...model("gpt-4o", 2210, 934, 0.014865),
      input: { model: "gpt-4o", temperature: 0.2, messages: [{ role: "system", content: stricter }, user, said] },
      output: {
        role: "assistant",
        content: "Three cities stand out.\n\n1. Paris took lanes from the ring road: −34 % since 2015.\n2. Ghent divided its centre into zones in one night: −25 % in a year.\n3. Pontevedra made its centre walkable: −53 % inside the ring.",
      },
      metadata: { finish_reason: "stop", attempt: 1 },
    }),
  ];
  return {
    title: "Which cities cut car traffic the most?",
    description: "A research agent answers with sources. Watch the third search time out, and how the agent recovers.\nThe prompt of the second model call differs from the first: open “Changes”.",
    tags: ["research", "web search", "recovery"],
    spans,
  };
}

export const HOSTILE = "\u202eevil\u202c <script>window.hacked=1</script> \u0007bell \u200bzero مرحبا بالعالم";

function hostile() {
  const names = [HOSTILE, "</script><script>window.hacked=1</script>", "<img src=x onerror=window.hacked=1>"];
  const payload = {
    "<script>window.hacked=1</script>": HOSTILE,
    html: '<img src="https://elsewhere.invalid/a.png" onerror="window.hacked=1">',
    nul: "a\u0000b",
    picture: "data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=",
  };
  const remote = { type: "image_url", image_url: { url: "https://elsewhere.invalid/track.png" } };
  const output = { role: "assistant", content: [{ type: "text", text: HOSTILE }, remote] };
  const spans = names.map((name, i) => span("llm_call", name, i * 900, 800, null, { ...model("<b>m</b>", 1, 1, 0), input: payload, output }));
  return { title: `\u202eeltit\u202c </title><script>window.hacked=1</script>`, description: HOSTILE, tags: ["<i>tag</i>"], spans };
}

function long() {
  // The same sequence on every run (mulberry32).
  let seed = 7;
  const random = (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
  const types = ["llm_call", "tool_call", "tool_result", "reasoning", "action"];
  const spans = [];
  const open = [];
  let now = 0;
  for (let i = 0; i < 10_000; i++) {
    open.length = Math.min(open.length, random(4));
    const type = open.length === 0 ? "action" : types[random(types.length)];
    const call = type === "llm_call";
    const messages = [
      { role: "system", content: `You are step ${i}. ${"Work carefully and say why. ".repeat(12)}` },
      { role: "user", content: `Question ${i}? ${"Some words to read. ".repeat(20)}` },
    ];
    const made = span(type, `${type} ${random(400)}`, now, 2 + random(900), open.at(-1), {
      ...(call ? model(["gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5"][random(3)], 200 + random(9000), 10 + random(900), random(40000) / 1e6) : {}),
      input: call ? { messages } : { n: i, list: [1, 2, 3], text: "x".repeat(200) },
      output: call ? { role: "assistant", content: "An answer. ".repeat(40) } : { ok: true, n: i },
      error: random(100) === 0 ? "it failed" : null,
    });
    spans.push(made);
    open.push(made);
    now += random(400);
  }
  return { title: "Ten thousand steps of a crawler", description: "", tags: [], spans };
}

export const TAPES = { cities, hostile, long };

/** Records and publishes them all; the slug of each. */
export async function publish(base, key) {
  const post = async (path, body) => {
    const headers = { "x-retrace-key": key, "content-type": "application/json" };
    const response = await fetch(`${base}/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  const slugs = {};
  for (const [name, make] of Object.entries(TAPES)) {
    const { title, description, tags, spans } = make();
    const { id } = await post("/traces", { name: title, status: "completed", started_at: spans[0].started_at, spans });
    slugs[name] = (await post("/tapes", { trace_id: id, title, description, tags, is_public: true })).slug;
  }
  return slugs;
}

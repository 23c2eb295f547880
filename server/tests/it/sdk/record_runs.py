"""Five runs of different shape and one that raises, recorded with the published client as its users do.

Prints a line for each: what the client itself holds of the run.
"""

import json
import os
from datetime import timedelta

import openai
import retrace
from retrace import Span, SpanType

MODEL = "gpt-4o-mini"
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "web_search",
            "parameters": {"type": "object", "properties": {"q": {"type": "string"}}},
        },
    }
]

retrace.configure(api_key=os.environ["RETRACE_API_KEY"])
llm = openai.OpenAI(max_retries=0)
recorders = {}


def keep():
    recorder = retrace.get_active_recorder()
    recorders[recorder.trace.name] = recorder


def ask(content, **options):
    messages = [{"role": "system", "content": "be brief"}, {"role": "user", "content": content}]
    return llm.chat.completions.create(model=MODEL, messages=messages, **options)


@retrace.record
def plain(a, b=0):
    keep()
    return {"sum": a + b, "half": a / 2, "none": None, "list": [True, "ä"]}


@retrace.record(name="llm-agent")
def llm_agent(question, depth):
    keep()
    plan = ask(f"plan: {question}", temperature=0.2, seed=7, max_tokens=50).choices[0].message.content
    return ask(f"answer: {plan}").choices[0].message.content


def tool_agent():
    with retrace.record(name="tool-agent", input={"task": "find"}) as run:
        keep()
        messages = [{"role": "user", "content": "call the tool"}]
        first = llm.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS).choices[0].message
        call = first.tool_calls[0]
        with retrace.agent("planner", role="Planner"), retrace.agent("researcher", role="Researcher"):
            search = run.start_span(
                call.function.name, SpanType.TOOL_CALL, input=json.loads(call.function.arguments)
            )
            rank = run.start_span("rank", SpanType.REASONING, input="three hits", parent_id=search.id)
            fetch = run.start_span("fetch", SpanType.ACTION, input={"url": "a://b"}, parent_id=rank.id)
            run.end_span(fetch, error="TimeoutError: no answer in 1 s")
            run.end_span(rank, output=["second", 0.5])
            run.end_span(search, output={"hits": 3})
        messages += [first, {"role": "tool", "tool_call_id": call.id, "content": '{"hits": 3}'}]
        last = llm.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS).choices[0].message
        run.output = {"answer": last.content}


@retrace.record(name="stream-agent")
def stream_agent():
    keep()
    chunks = ask("stream this", stream=True, stream_options={"include_usage": True})
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def session_agent():
    metadata = {"customer": {"tier": "gold"}, "attempt": 2, "note": "naïve 日本 \U0001f600"}
    with retrace.record(name="session-agent", input="raw text", metadata=metadata, session_id="sess-42") as run:
        keep()
        by_hand = Span(
            span_type=SpanType.LLM_CALL,
            name="by hand",
            model=MODEL,
            input={"messages": []},
            output="unpriced by the client",
            input_tokens=1000,
            output_tokens=500,
            token_ids=[1, 2],
            logprobs=[-0.1, -2.5],
            metadata={"cached": False},
        )
        by_hand.ended_at = by_hand.started_at + timedelta(milliseconds=7)
        run.add_span(by_hand)
        run.output = [1, 2.5, {"": "empty key"}]


@retrace.record(name="failing-agent")
def failing_agent():
    keep()
    try:
        ask("please fail")
    except openai.BadRequestError:
        raise ValueError("boom: the model would not") from None


plain(1, b=2)
llm_agent("hi", depth=2)
tool_agent()
stream_agent()
session_agent()
try:
    failing_agent()
except ValueError:
    pass
for name, recorder in recorders.items():
    print(json.dumps({"name": name, "trace": recorder.trace.to_dict()}))

"""A run in steps, with either version of the client: says the trace's id, then each step, and waits to be told to go on."""

import sys

import retrace
from retrace import SpanType


def step(text):
    print(text, flush=True)
    sys.stdin.readline()


retrace.configure()
with retrace.TraceRecorder(name="stepper", input={"n": 1}) as run:
    step(run.trace.id)
    for number in range(int(sys.argv[1])):
        span = run.start_span(f"step-{number}", SpanType.TOOL_CALL, input={"i": number})
        run.end_span(span.id, output={"done": number})
        step(number)
    run.output = "x" * int(sys.argv[2])

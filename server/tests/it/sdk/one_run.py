"""One run without spans; prints the trace's id."""

import retrace

retrace.configure()
with retrace.record(name="one-run", input=[1]) as run:
    run.output = 1
print(run.trace.id)

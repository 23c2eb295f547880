"""A function that may be run again from afar: says the id of its first run, and ends when told to."""

import sys

import openai
import retrace

retrace.configure()
llm = openai.OpenAI(max_retries=0)
traces = []


@retrace.record(name="research-agent", resumable=True)
def agent(question):
    recorder = retrace.get_active_recorder()
    if recorder:
        traces.append(recorder.trace.id)
    messages = [{"role": "user", "content": f"answer: {question}"}]
    return llm.chat.completions.create(model="gpt-4o-mini", messages=messages).choices[0].message.content


agent("hi")
print(traces[0], flush=True)
sys.stdin.readline()

"""Marks a trace as golden or takes the mark away: TRACE_ID true|false. Prints what the helper raises, or `done`."""

import sys

import retrace

retrace.configure()
try:
    retrace.mark_golden(sys.argv[1], golden=sys.argv[2] == "true")
    print("done")
except RuntimeError as error:
    print(error)

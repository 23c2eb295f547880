"""What the document's schemas cannot say of a request: times that are near, and rules between fields."""

import re
from datetime import datetime, timedelta, timezone

import schemathesis
from hypothesis import strategies
from schemathesis.openapi.checks import RejectedPositiveData

# The server takes times from 2000 until tomorrow; those of a month keep most pairs of them in order.
NOW = datetime.now(timezone.utc).replace(tzinfo=None)
TIMES = strategies.datetimes(NOW - timedelta(days=30), NOW).map(lambda time: time.isoformat(timespec="milliseconds") + "Z")
schemathesis.openapi.format("date-time", TIMES)


schemathesis.serializer.alias("application/x-ndjson", "text/plain")


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Says the same in words of which `coverage` heeds the format: it makes empty texts of times that may be null."""
    for schema in raw_schema["components"]["schemas"].values():
        for name, field in schema.get("properties", {}).items():
            if field.get("type") == ["string", "null"] and "format" in field:
                schema["properties"][name] = {"anyOf": [{**field, "type": "string"}, {"type": "null"}]}


# A refusal of what follows the schema has to be one of these, fault by fault.
RULES = [
    re.compile(rule)
    for rule in (
        # Between fields
        r" exclude each other$",
        r"^the body changes none of ",
        r"^from is (not before|after) to$",
        r"^either a and b are needed",
        r" is of (groups|two traces)$",
        r"^redact\.spans: the trace has no span ",
        r"ended_at is before started_at$",
        r"^spans\[\d+\]\.parent_id makes a cycle$",
        r" that they are part of$",
        r" does not go with ",
        r" does not go without ",
        r" is missing, and so is ",
        r"_id is missing, where scope is ",
        r"^id is not the id of the path$",
        r"^the body has no items$",
        r"\.trace_id is not the id of the trace$",
        # By the clock, a catalogue, or what is signed
        r"(at|from|to) is not between 2000-01-01 and tomorrow$",
        r"^expires_at is (not in the future|more than ten years away)",
        r"^timezone is not a name of the IANA database",
        r"^cursor is not one of ",
        r"^plan is not one of those for sale",
        r"^return_url is ",
        r"^The header webhook-(id|timestamp) ",
        # Sizes in bytes, words and pieces
        r" is longer than \d+ bytes$",
        r" is nested deeper than \d+ levels$",
        r"^the trace has more than \d+ spans$",
        r"^q has more than \d+ words$",
        r"^from and to (are more than \d+|cannot be cut)",
        r"^body mentions more than \d+ users$",
        r" variables$",
        r" is not the start of a day in the time zone$",
        # A file's lines
        r"^line \d+(: | is not )",
        r"^the file is not a tape$",
        # States
        r"^the trace has not failed",
    )
]


@schemathesis.hook
def filter_failure(context, failure, case, response):
    if not isinstance(failure, RejectedPositiveData) or response.status_code != 400:
        return True
    faults = response.json()["error"].split("; ")
    return not all(any(rule.search(fault) for rule in RULES) for fault in faults)

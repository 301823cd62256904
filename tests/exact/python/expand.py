"""Expands recurrence rules with python-dateutil: a question a line, an answer a line, in JSON, times without zones."""

import json
import sys
from datetime import datetime

from dateutil.rrule import rrulestr

for line in sys.stdin:
    question = json.loads(line)
    try:
        to = datetime.fromisoformat(question["to"])
        dates = []
        for at in rrulestr("RRULE:" + question["rule"], dtstart=datetime.fromisoformat(question["start"])):
            if at >= to or (question["enough"] is not None and len(dates) >= question["enough"]):
                break
            if len(dates) > question["most"]:
                dates = None
                break
            dates.append(at.isoformat())
        answer = {"dense": True} if dates is None else {"dates": dates}
    except Exception as error:  # whatever it is, the case is listed with it
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)

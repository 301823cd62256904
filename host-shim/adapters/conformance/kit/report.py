"""The table and the JSON."""

from __future__ import annotations

import json
import textwrap
from typing import List

from kit.bench import APART, BROKEN, HOLDS, UNSEEN, Bench, Finding
from kit.requirements import ALL, BY_ID, MUST

_MARKS = {HOLDS: "✓", BROKEN: "✗", APART: "–", UNSEEN: "?"}


def listed() -> str:
    """All requirements."""
    return "\n".join("%-8s  %-6s  %s" % (one.id, one.level, one.sentence) for one in ALL)


def failed(findings: List[Finding]) -> List[Finding]:
    """The MUSTs that do not hold."""
    return [finding for finding in findings if finding.outcome == BROKEN and BY_ID[finding.id].level == MUST]


def table(findings: List[Finding], verbose: bool) -> str:
    """For people: a line for each requirement; for what does not hold what was expected, what happened and what was seen."""
    lines = []
    for finding in findings:
        requirement = BY_ID[finding.id]
        lines.append("%s %-8s %-6s %s" % (_MARKS[finding.outcome], finding.id, requirement.level, requirement.sentence))
        if finding.outcome in (APART, UNSEEN):
            lines.append(_wrapped("", finding.happened))
        elif finding.outcome == BROKEN or verbose:
            if finding.expected:
                lines.append(_wrapped("expected: ", finding.expected))
            lines.append(_wrapped("happened: ", finding.happened))
            lines.extend("                    | " + call for call in finding.calls)
    counted = {outcome: sum(1 for finding in findings if finding.outcome == outcome) for outcome in _MARKS}
    lines.append("")
    lines.append(
        "%d hold, %d do not, %d do not apply, %d could not be looked at"
        % tuple(counted[outcome] for outcome in (HOLDS, BROKEN, APART, UNSEEN))
    )
    broken = failed(findings)
    if broken:
        lines.append("This adapter does not conform: %s" % ", ".join(finding.id for finding in broken))
    elif any(finding.outcome == UNSEEN and BY_ID[finding.id].level == MUST for finding in findings):
        lines.append("No MUST failed. What could not be looked at is not known to hold.")
    else:
        lines.append("No MUST failed.")
    return "\n".join(lines)


def as_json(bench: Bench, findings: List[Finding]) -> str:
    """For programs."""
    return json.dumps(
        {
            "conforms": not failed(findings),
            "account": bench.account,
            "requirements": [
                {
                    "id": finding.id,
                    "level": BY_ID[finding.id].level,
                    "sentence": BY_ID[finding.id].sentence,
                    "outcome": finding.outcome,
                    "expected": finding.expected,
                    "happened": finding.happened,
                    "requests": finding.calls,
                }
                for finding in findings
            ],
        },
        indent=1,
        ensure_ascii=False,
    )


def _wrapped(word: str, sentence: str) -> str:
    return textwrap.fill(
        word + " ".join(sentence.split()),
        130,
        initial_indent=" " * 18,
        subsequent_indent=" " * 18 + " " * len(word),
        break_long_words=False,
    )

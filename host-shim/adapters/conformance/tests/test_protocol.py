"""The page and the kit name the same requirements."""

import re
import unittest
from pathlib import Path

from kit import checks
from kit.requirements import ALL

FOLDER = Path(__file__).resolve().parent.parent


class Protocol(unittest.TestCase):
    def test_the_page_names_what_is_looked_at_and_nothing_else(self):
        page = " ".join((FOLDER / "PROTOCOL.md").read_text("utf-8").split())
        named = re.findall(r"\*\*([A-Z]+-\d+) (MUST|SHOULD)(?: NOT)?\*\*", page)
        self.assertEqual(sorted(named), sorted((requirement.id, requirement.level) for requirement in ALL))

    def test_every_requirement_has_a_check(self):
        looked_at = [id_ for scenario in checks.load() for id_ in scenario.ids]
        self.assertEqual(
            sorted([*looked_at, "CALL-1"]), sorted(requirement.id for requirement in ALL), "CALL-1 is looked at in all calls"
        )

    def test_the_guide_names_the_options_there_are(self):
        guide = (FOLDER / "README.md").read_text("utf-8")
        from kit.options import parser

        known = set(re.findall(r"--[a-z-]+", parser().format_help()))
        used = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", guide))
        self.assertLessEqual(used, known)


if __name__ == "__main__":
    unittest.main()

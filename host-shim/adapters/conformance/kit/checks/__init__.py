"""The checks, each a scenario that plays with events of its own and finds something about one or more requirements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, List, Tuple

if TYPE_CHECKING:
    from kit.bench import Bench


@dataclass(frozen=True)
class Scenario:
    """A function that plays, and the requirements it finds something about."""

    ids: Tuple[str, ...]
    play: "Callable[[Bench], None]"


SCENARIOS: List[Scenario] = []


def about(*ids: str) -> "Callable[[Callable[[Bench], None]], Callable[[Bench], None]]":
    """Registers a scenario."""

    def register(play: "Callable[[Bench], None]") -> "Callable[[Bench], None]":
        SCENARIOS.append(Scenario(ids, play))
        return play

    return register


def load() -> List[Scenario]:
    """All of them, in the order in which they are played: what may leave the adapter waiting comes last."""
    if not SCENARIOS:
        from kit.checks import saves, refusals, whose, objects, names, crowds, links, drafts, trouble, outages  # noqa: F401
    return SCENARIOS

"""Which variants there are, and what they need."""

from __future__ import annotations

from typing import Any, Callable, Dict, Tuple

VARIANTS: Dict[str, Tuple[Tuple[str, ...], Callable[[], None]]] = {}


def caught_by(*ids: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Registers a variant."""

    def register(patch: Callable[[], None]) -> Callable[[], None]:
        VARIANTS[patch.__name__.replace("_", "-")] = (ids, patch)
        return patch

    return register


def modules() -> Any:
    """The adapter's package, with its modules."""
    import teams_mirror_radicale as package
    from teams_mirror_radicale import application, hook, ical, mirror, operations, spool, stored, worker  # noqa: F401

    return package


def wrap(owner: Any, name: str, around: Callable[..., Any]) -> None:
    """Puts something around a function or method; it is given the real one first."""
    real = getattr(owner, name)
    setattr(owner, name, lambda *arguments, **named: around(real, *arguments, **named))

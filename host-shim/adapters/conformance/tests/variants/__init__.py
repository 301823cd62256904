"""The Radicale adapter, broken on purpose in one place each.

Each variant names the checks that have to catch it. What is broken is what people who write adapters do get wrong.
"""

from tests.variants import others, saves, trouble  # noqa: F401
from tests.variants.registry import VARIANTS

__all__ = ["VARIANTS"]

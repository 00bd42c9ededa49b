"""Figures as `make bench` prints them."""

import sys
from dataclasses import dataclass, field


@dataclass(slots=True)
class Table:
    """Figures with their targets. A figure without a target is only reported."""

    missed: list[str] = field(default_factory=list)

    def head(self, title: str) -> None:
        sys.stdout.write(f"\n{title}\n")

    def row(
        self, label: str, value: float, unit: str, at_most: float | None = None, *, at_least: float | None = None
    ) -> None:
        digits = 0 if unit == "" and float(value).is_integer() else 2
        shown = f"  {label:<46}{value:>9.{digits}f} {unit:<3}"
        if at_most is not None or at_least is not None:
            met = value <= at_most if at_most is not None else value >= (at_least or 0)
            bound = f"<= {at_most:g}" if at_most is not None else f">= {at_least:g}"
            shown += f"  target {bound:<8} {'met' if met else 'NOT MET'}"
            if not met:
                self.missed.append(label)
        sys.stdout.write(shown.rstrip() + "\n")
        sys.stdout.flush()

"""The name that a mistyped one probably stands for."""

from __future__ import annotations

from collections.abc import Iterable

_MAX_TYPED = 64  # characters; comparing takes their number times that of each name
_ALIKE = 0.7


def nearest(typed: str, names: Iterable[str]) -> str | None:
    """The one of `names` that is most like `typed`, whatever the case of letters and underscores; None if none is."""
    if len(typed) > _MAX_TYPED:
        return None
    import difflib  # noqa: PLC0415 - for who mistyped something; the daemon has no use for it until then

    by_form = {_form(name): name for name in names}
    found = difflib.get_close_matches(_form(typed), by_form, n=1, cutoff=_ALIKE)
    return by_form[found[0]] if found else None


def did_you_mean(typed: str, names: Iterable[str]) -> str:
    """The end of a sentence that says `typed` is not known: a question with the nearest name, or nothing."""
    name = nearest(typed, names)
    return "" if name is None else f" (did you mean {name}?)"


def _form(name: str) -> str:
    return name.replace("_", "").casefold()

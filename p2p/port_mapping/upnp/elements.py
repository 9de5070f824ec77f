"""XML of strangers as a tree: no document type, so that nothing is declared, expanded or fetched; bounded in size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from p2p.port_mapping.router import BadAnswer

MOST_ELEMENTS: Final = 4_000
MOST_DEPTH: Final = 40


@dataclass(slots=True)
class Element:
    """`name` without its prefix: routers declare theirs wrongly, or not at all."""

    name: str
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, name: str) -> Iterator[Element]:
        """The elements of that name in it, at any depth, and itself."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            if element.name == name:
                yield element
            waiting += reversed(element.children)

    def text_of(self, name: str) -> str:
        """The text of the first child of that name; "" if there is none."""
        return next((child.text.strip() for child in self.children if child.name == name), "")


class _Builder:
    def __init__(self) -> None:
        self.root = Element("")
        self._open = [self.root]
        self._count = 0

    def start(self, name: str, _: object) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS or len(self._open) > MOST_DEPTH:
            raise BadAnswer("the XML has too many elements")
        element = Element(name.rpartition(":")[2])
        self._open[-1].children.append(element)
        self._open.append(element)

    def end(self, _: str) -> None:
        self._open.pop()

    def text(self, text: str) -> None:
        self._open[-1].text += text


def parsed(document: bytes) -> Element:
    """An element that holds the document's one. Raises BadAnswer."""
    builder, parser = _Builder(), expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler = builder.text
    try:
        parser.Parse(document, True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # the latter two: an encoding that Python lacks
        raise BadAnswer("that is not XML") from error
    return builder.root


def _refuse(*_: object) -> None:
    raise BadAnswer("the XML has a document type")

"""A secret that a client sends: bytes in locked memory, wiped after use, never a string."""

from __future__ import annotations

from typing import Any, Final, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError, core_schema

from musig2.curve.memory import LockedBuffer

LONGEST: Final = 1_024  # characters
# The names of all params that are secrets, and the methods that take them. A test holds them to the table of methods.
SECRET_PARAMS: Final = frozenset({"privateKey", "passphrase", "newPassphrase", "exportPassphrase"})
SECRET_METHODS: Final = frozenset({"importKey", "exportKey", "unlock", "changePassphrase"})


class SentSecret:
    """The UTF-8 bytes of a secret. `rpc.calls.sent_secrets` makes it from the bytes of a message."""

    __slots__ = ("_buffer",)

    def __init__(self, buffer: LockedBuffer) -> None:
        self._buffer = buffer

    @classmethod
    def of(cls, text: str) -> Self:
        """From a string, which stays in memory: for tests."""
        content = text.encode()
        buffer = LockedBuffer(len(content))
        buffer.view[:] = content
        return cls(buffer)

    @property
    def view(self) -> memoryview:
        """The bytes; all 0 after `wipe`."""
        return self._buffer.view

    def wipe(self) -> None:
        """Zero the secret, which also happens when its last reference goes away."""
        self._buffer.wipe()

    def __repr__(self) -> str:
        return "<SentSecret>"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_checked)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "format": "password", "writeOnly": True, "minLength": 1, "maxLength": LONGEST}


def _checked(value: Any) -> SentSecret:
    if isinstance(value, str) and len(value) > LONGEST:
        raise PydanticKnownError("string_too_long", {"max_length": LONGEST})
    if isinstance(value, str):
        raise PydanticCustomError(
            "secret_disguised", "must stand under its plain name: escapes in a name hide that a secret follows"
        )
    if not isinstance(value, SentSecret):
        raise PydanticKnownError("string_type")
    characters = sum(byte & 0xC0 != 0x80 for byte in value.view)
    if not characters:
        raise PydanticKnownError("string_too_short", {"min_length": 1})
    if characters > LONGEST:
        raise PydanticKnownError("string_too_long", {"max_length": LONGEST})
    return value

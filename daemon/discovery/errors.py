"""What discovery refuses, as its own errors; `daemon/api/guard.py` turns them into what a client is told."""

from __future__ import annotations

from daemon.errors import Refused


class DiscoveryRefusal(Refused):
    """Root of these."""


class AdvertisedTooSoon(DiscoveryRefusal):
    """The same key was advertised less than an interval ago; `retry_ms`: how long to wait."""

    reason = "rate_limited"

    def __init__(self, retry_ms: int) -> None:
        super().__init__(
            "This key was advertised a moment ago: wait as long as retryAfterMs says, then try again.",
            retryAfterMs=retry_ms,
        )


class AdvertisementTooLarge(DiscoveryRefusal):
    """The envelope would have more than `most` bytes."""

    reason = "too_large"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"An advertisement may have {most} bytes: shorten the metadata.",
            errors=[{"path": "metadata", "message": "makes the advertisement too large"}],
        )


class UnfitTerms(DiscoveryRefusal):
    """A record cannot hold these terms; `why` ends the sentence."""

    reason = "invalid_params"

    def __init__(self, why: str) -> None:
        super().__init__(f"This cannot be advertised: {why}.")


class NeverAdvertised(DiscoveryRefusal):
    """There is no advertisement of this key to withdraw."""

    reason = "not_found"

    def __init__(self) -> None:
        super().__init__("No such advertisement here; check the id, or list what there is.")


class TooManyTypes(DiscoveryRefusal):
    """A token would follow more than `most` types."""

    reason = "too_many"

    def __init__(self, most: int) -> None:
        super().__init__(f"A token follows at most {most} transaction types; unsubscribeFromSignerDiscovery first.")


class ForeignCursor(DiscoveryRefusal):
    """A cursor that no search returned."""

    reason = "invalid_params"

    def __init__(self) -> None:
        message = "is not one that this daemon returned; leave it out to begin with the newest"
        super().__init__(f"cursor: {message}", errors=[{"path": "cursor", "message": message}])

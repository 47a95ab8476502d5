"""Hold claims in a store for as long as their owner lives."""

import contextlib
import threading
from types import TracebackType
from typing import Self

from ..exceptions import StoreError
from ._store import Claim, CompletionStore

# Others wait for so long after a process that was killed.
LEASE_SECONDS = 60.0


class Heartbeat:
    """Renew claims until they are let go.

    However long a call takes, nobody else asks the same; whoever is killed renews
    nothing, and others may ask after the rest of the lease.

    Parameters
    ----------
    store : CompletionStore
        Where the claims are.

    seconds : float, default=60.0
        Length of the lease; it is renewed three times as often.
    """

    def __init__(self, store: CompletionStore, seconds: float = LEASE_SECONDS) -> None:
        self.seconds = seconds
        self._store = store
        self._claims: set[Claim] = set()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(
            target=self._beat, name="sklearn_alchemist heartbeat", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def hold(self, claim: Claim) -> None:
        """Renew a claim from now on.

        Parameters
        ----------
        claim : Claim
            What the store gave.
        """
        with self._lock:
            self._claims.add(claim)

    def let_go(self, claim: Claim) -> None:
        """Renew a claim no longer.

        Parameters
        ----------
        claim : Claim
            What was held.
        """
        with self._lock:
            self._claims.discard(claim)

    def _beat(self) -> None:
        while not self._stopped.wait(self.seconds / 3):
            with self._lock:
                claims = list(self._claims)
            for claim in claims:
                # A full disk ends the fit where its answer is to be kept, not here.
                with contextlib.suppress(StoreError):
                    self._store.renew(claim, seconds=self.seconds)

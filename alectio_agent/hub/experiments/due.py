"""What waits for the hub's workers: wake-ups only, since what is owed stands in the tables."""

from threading import Event, Lock


class Due:
    """Flags that a transaction raises after its commit; safe to use from any thread."""

    def __init__(self) -> None:
        """Start with nothing due."""
        self.selections = Event()
        self.results = Event()
        self.hurry = Event()
        """Set when results files are wanted soon, however quickly loops follow each other."""
        self._names: set[str] = set()
        self._lock = Lock()

    def mark(self, name: str, *, may_wait: bool = False) -> None:
        """An experiment's results files are out of date.

        Args:
            name: Of the experiment.
            may_wait: It is one loop of many, which may share a write with the next.
        """
        with self._lock:
            self._names.add(name)
        if not may_wait:
            self.hurry.set()
        self.results.set()

    @property
    def has_marks(self) -> bool:
        """Whether any experiment was marked since `take_marked` was called."""
        return bool(self._names)

    def take_marked(self) -> list[str]:
        """Experiments that were marked since the last call.

        Returns:
            Their names, sorted; the marks are gone.
        """
        with self._lock:
            names, self._names = sorted(self._names), set()
        return names

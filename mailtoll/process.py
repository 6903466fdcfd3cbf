"""What a process of ours need not do: look for garbage in what stays, wait by spinning."""

import atexit
import gc
import os

# What loading makes is there to stay. Python would look for garbage in it after every 700 objects, a tenth of the time.
_OBJECTS_BEFORE_GARBAGE = 50_000


def spare() -> None:
    """Spare this process work; call it before anything heavy is loaded."""
    gc.set_threshold(_OBJECTS_BEFORE_GARBAGE, 50, 100)
    atexit.register(gc.freeze)  # else it looks once more when all of it goes anyway: a second of a run
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its threads wait by spinning, and nothing here is theirs

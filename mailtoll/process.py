"""What a process of ours need not do: look for garbage in what stays, wait by spinning, hold memory that is free."""

import atexit
import ctypes
import gc
import os
from contextlib import suppress

# Polars' allocator, jemalloc: as many stores of memory as cores rather than four times that, large pieces from them
# too, and what is free stays 3 s for whoever asks next. A twentieth less time, and a tenth less memory.
_POLARS_MEMORY = f"narenas:{os.cpu_count() or 1},oversize_threshold:0,dirty_decay_ms:3000,muzzy_decay_ms:0"
# What loading makes is there to stay. Python would look for garbage in it after every 700 objects, a tenth of the time.
_OBJECTS_BEFORE_GARBAGE = 50_000


def spare() -> None:
    """Spare this process work; call it before anything heavy is loaded."""
    gc.set_threshold(_OBJECTS_BEFORE_GARBAGE, 50, 100)
    atexit.register(gc.freeze)  # else it looks once more when all of it goes anyway: a second of a run
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its threads wait by spinning, and nothing here is theirs
    os.environ.setdefault("_RJEM_MALLOC_CONF", _POLARS_MEMORY)


def give_back() -> None:
    """Give free memory back to the system, of which allocators keep a hundred megabytes for threads that have ended."""
    from pyarrow import default_memory_pool  # heavy, and loaded by whoever has used much

    default_memory_pool().release_unused()
    with suppress(AttributeError):  # no such function in other C libraries than GNU's
        ctypes.CDLL(None).malloc_trim(0)

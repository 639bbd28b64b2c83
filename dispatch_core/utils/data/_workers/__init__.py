"""Loading in workers: processes or threads that make batches ahead of the program that uses them.

Imported when the first loader with workers is used, so that programs without pay nothing.

    iterator.py         one pass: which worker makes which batch, and in what order they are handed over
    process_pool.py     workers that are processes: starting, feeding, listening to, stopping
    thread_pool.py      the same as threads
    supervision.py      what became of a process: exit codes and signals in words, ending it in time
    starting.py         start methods, and whether all that is sent to a worker can be pickled
    loop.py             what runs inside a worker
    messages.py         what both sides tell each other
    failures.py         exceptions that travel from a worker to the user
    packing.py          a batch as a pickle beside its large arrays
    shared_memory.py    memory without a name that two processes map
    slots.py            the ring of such memory, with both its ends
"""

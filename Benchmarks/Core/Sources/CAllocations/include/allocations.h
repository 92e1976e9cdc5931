// Heap allocations of this process, counted by standing in for the allocator's entry points.

#ifndef LEEWAY_ALLOCATIONS_H
#define LEEWAY_ALLOCATIONS_H

/// Allocations (malloc, calloc, realloc, aligned ones) since the process began, over all threads;
/// -1 where they cannot be counted.
long leeway_allocations(void);

#endif

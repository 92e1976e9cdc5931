// What Swift's Glibc module leaves out of Linux: readiness, timers, and two calls of the GNU
// library.

#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

/// accept4 with a non-blocking, close-on-exec socket; -1 and errno where none waits.
int linux_accept(int listener);

/// memmem.
const void *linux_find(const void *bytes, size_t count, const void *wanted, size_t size);

#endif

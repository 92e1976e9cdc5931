// sigsuspend for a program under valgrind, by LD_PRELOAD.
//
// Valgrind 3.19 writes to the mask that a program hands to rt_sigsuspend and dies where that lies
// in read-only memory, as libdispatch's does. This one hands over a copy.

#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

int sigsuspend(const sigset_t *mask) {
  sigset_t copy = *mask;
  // The kernel's signal set has 64 bits.
  return (int)syscall(SYS_rt_sigsuspend, &copy, 8);
}

// The GNU library declares these only where _GNU_SOURCE is set, which Swift's importer does not.

#define _GNU_SOURCE
#include "CLinux.h"

#include <string.h>
#include <sys/socket.h>

int linux_accept(int listener) {
  return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

const void *linux_find(const void *bytes, size_t count, const void *wanted, size_t size) {
  return memmem(bytes, count, wanted, size);
}

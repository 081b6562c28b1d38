// Descriptors 0, 1 and 2 of a program that was started without them. Left closed, the next file or socket
// that it opens gets the number, and what is meant for people is written into it.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>

namespace pqd {

// First of all in main(), before anything is opened. Using one that was closed fails with EBADF as before.
inline void keep_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    const bool closed = ::fcntl(fd, F_GETFD) < 0 && errno == EBADF;
    // The lowest number that is free is this one.
    if (closed) [[maybe_unused]]
      const int kept = ::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

}  // namespace pqd

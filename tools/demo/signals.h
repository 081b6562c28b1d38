// Ctrl-C and its like as something to poll for, so that everything is cleaned up by the ordinary way out.
#pragma once

#include "shm/unique_fd.h"

namespace pqd::demo {

class Signals {
 public:
  // Blocks SIGINT, SIGTERM, SIGHUP and SIGCHLD for this process and takes them from a descriptor from now on.
  Signals();

  // Readable when a signal came, or a child ended.
  int fd() const { return fd_.get(); }
  // The signal that asks this process to end; 0 = none came yet.
  int asked();

 private:
  UniqueFd fd_;
  int asked_ = 0;
};

}  // namespace pqd::demo

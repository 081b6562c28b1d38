// Ctrl-C for a command that has something to finish first: SIGINT and SIGTERM are noted once, then they kill
// as ever, so that a command that hangs can be left. One of these at a time; one thread.
#pragma once

#include "shm/unique_fd.h"

namespace pqd::ctl {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  bool asked() const { return exit() != 0; }
  // Readable once asked; -1 when the kernel had none to give.
  int fd() const { return fd_.get(); }
  // 128 and the signal's number, as a shell has it; 0 = not asked.
  int exit() const;

 private:
  UniqueFd fd_;
};

}  // namespace pqd::ctl

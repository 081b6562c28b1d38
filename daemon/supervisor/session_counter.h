// Numbers for sessions that are never given twice, whatever dies: job ids are built on them. A file holds the
// first number that was not reserved; numbers are reserved in blocks, so that a session costs no write, and a
// crash skips what was left of its block. Belongs to the supervisor's thread.
//
// The file (24 bytes, host order): magic, the first number not reserved, the FNV-1a hash of both. It is
// replaced whole, see state_file.h.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "daemon/supervisor/start_failure.h"
#include "shm/sys_error.h"

namespace pqd {

class SessionCounter {
 public:
  static constexpr uint64_t kBlock = 1024;

  // REQUIRES: `state_dir` is locked by us. Where other state is but no file, numbering goes on at the clock's
  // milliseconds, which no counter from 1 reaches.
  static std::expected<SessionCounter, StartFailure> open(const std::string& state_dir);

  // The first that this supervisor gives: all below were given by earlier ones, or by nobody.
  uint64_t first() const { return first_; }
  std::expected<uint64_t, SysError> next();

 private:
  SessionCounter(std::string directory, uint64_t first)
      : directory_(std::move(directory)), first_(first), next_(first), reserved_(first) {}

  std::string directory_;
  uint64_t first_;
  uint64_t next_;
  uint64_t reserved_;  // on disk: the first number that is not ours to give
};

}  // namespace pqd

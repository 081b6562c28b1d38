// A failure of the environment, passed on untouched: which call, and its errno.
#pragma once

#include <cerrno>

namespace pqd {

struct SysError {
  int number = 0;
  const char* call = "";

  static SysError last(const char* call) { return {errno, call}; }
};

}  // namespace pqd

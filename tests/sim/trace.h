// What happened in a world, line by line, when somebody wants to read it.
#pragma once

#include <cstdio>

#include "tests/sim/fault.h"

namespace pqd::sim {

class Trace {
 public:
  bool on = false;

  template <class... Parts>
  void say(int64_t now_ns, const Parts&... parts) const {
    if (on)
      std::fprintf(stderr, "%14.3f  %s\n", static_cast<double>(now_ns - start_ns) / 1e9,
                   text_of(parts...).c_str());
  }

  int64_t start_ns = 0;  // times are seconds since then
};

}  // namespace pqd::sim

// A point in time as people write it: when, or how long ago. Whose clock tells how long ago it was is the
// command's to say.
#pragma once

#include "tools/pqctl/complaint.h"

namespace pqd::ctl {

struct Moment {
  int64_t ms = 0;  // Unix milliseconds, or before now
  bool is_ago = false;

  // Unix milliseconds; before 1970 where somebody wrote so.
  int64_t by(int64_t now_ms) const { return is_ago ? now_ms - ms : ms; }
};

// 65: it is neither.
Checked<Moment> read_moment(const std::string& text);

// Unix milliseconds, by this process's clock; 0 at least.
Checked<int64_t> moment_ms(const std::string& text);

}  // namespace pqd::ctl

// A rule that does not hold. Thrown to where the seed began, which prints it with the way to see it again.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

#include "core/job_id.h"

namespace pqd::sim {

class Fault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline std::ostream& operator<<(std::ostream& out, const JobId& id) { return out << id.to_string(); }

template <class... Parts>
std::string text_of(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

// `rule` in a few words, then what was seen.
template <class... Parts>
void require(bool holds, const Parts&... rule) {
  if (!holds) throw Fault(text_of(rule...));
}

}  // namespace pqd::sim

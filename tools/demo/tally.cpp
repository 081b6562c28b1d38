#include "tools/demo/tally.h"

#include <algorithm>

namespace pqd::demo {

void Tally::take(const Event& event) {
  if (event.kind == Event::Kind::kSettled) {
    ++settled[event.job];
    return;
  }
  if (event.file >= jobs.size()) return;
  if (!jobs[event.file].empty()) {
    ++durable_twice;
    return;
  }
  jobs[event.file] = event.job;
  durable_took_ns.push_back(event.took_ns);
  ++durable;
  first_submit_ns = std::min(first_submit_ns, event.at_ns - event.took_ns);
  if (event.file >= first_half()) return;
  ++durable_first_half;
  first_half_durable_ns = std::max(first_half_durable_ns, event.at_ns);
}

double Tally::submits_per_s() const {
  const int64_t took_ns = first_half_durable_ns - first_submit_ns;
  return took_ns <= 0 ? 0 : static_cast<double>(durable_first_half) * 1e9 / static_cast<double>(took_ns);
}

}  // namespace pqd::demo

// Ours beside everybody else of a comparison, as multiples.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/report.h"

namespace pqd::bench {

struct Ratio {
  std::string text;    // "0.77 times the jobs/s of Redis LPUSH"
  bool worse = false;  // fewer of what there should be many of, or longer
  bool limit = false;  // against a line that no queue can be better than
};

// Of the first line of ours: each of its figures that others have as well; of latencies p50 and p99 instead.
std::vector<Ratio> ratios_of(const Comparison& comparison);

// All in which a peer is better, and after them the aims that are missed; a heading for each comparison that
// has any.
std::string worse_of(const std::vector<RowResult>& rows);
// Ours against what the machine gives, the same way.
std::string limits_of(const std::vector<RowResult>& rows);

}  // namespace pqd::bench

// What a run prints, and what it writes for programs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/bench/comparison.h"

namespace pqd::bench {

using Facts = std::vector<std::pair<std::string, std::string>>;

struct RowResult {
  std::string row;
  std::vector<Comparison> comparisons;
};

std::string text_of(const Facts& machine);
std::string text_of(const Comparison& comparison);

// {"machine": {...}, "versions": [...], "rows": [{"row", "comparisons": [{"title", "tier", "lines": [{"who",
// "how", "ours", "weaker"?, "fault"?, "figures": [{"name", "median", "least", "most", "repeats"}],
// "between_cpus_ns"?: [...], "latency_ns"?: {"count", "p50", ...}}], "aims": [{"text", "found", "met"}]}]}]}
std::string json_of(const Facts& machine, const std::vector<std::string>& versions,
                    const std::vector<RowResult>& rows);

}  // namespace pqd::bench

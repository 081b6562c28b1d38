// What a row has found: comparisons, each of one tier of durability, with a line for everybody who took part.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/bench/latency.h"

namespace pqd::bench {

// What an acknowledgement has survived when it comes. Never two of them in one comparison.
enum class Tier : uint8_t { kMemory, kProcessCrash, kGroupCommit, kFsync };
std::string_view tier_text(Tier tier);

// One quantity, once for each repeat.
struct Figure {
  std::string name;  // "records/s"
  std::vector<double> repeats;

  double median() const;
  double least() const;
  double most() const;
};

struct Line {
  std::string who;
  std::string how;  // its set-up
  bool ours = false;
  // It promises less than the comparison's tier says, and this is what: its line counts for no aim.
  std::string weaker{};
  std::vector<Figure> figures{};
  std::optional<Latency> latency{};  // of all repeats together, nanoseconds
  std::string fault{};               // why there are no figures
  bool limit = false;                // what the machine gives, and no queue can be better than
  std::vector<double> between_cpus_ns{};  // before each repeat: a cache line from CPU to CPU and back

  void add(const std::string& name, double value);
  const Figure* figure(const std::string& name) const;
};

struct Aim {
  std::string text;   // "at least 10 times every peer"
  std::string found;  // "12.3 times"
  bool met = false;
};

struct Comparison {
  std::string title;
  Tier tier = Tier::kMemory;
  std::vector<Line> lines{};
  std::vector<Aim> aims{};

  // The first of ours; null when it has no figures.
  const Line* ours() const;
  // The largest median of this figure among peers that promise as much, limits left out; 0 = none has
  // figures.
  double best_peer(const std::string& figure) const;
};

// Aims over the median of one figure of a line, with what was found; a line without it misses the aim.
Aim aim_at_least(const Line& line, const std::string& figure, double wanted);
Aim aim_at_most(const Line& line, const std::string& figure, double wanted);
// The figure's median against `base`, as a multiple.
Aim aim_times(const Line& line, const std::string& figure, double base, double wanted,
              const std::string& text);
// A quantile of the line's latencies.
Aim aim_latency(const Line& line, double part, double wanted_ns, const std::string& text);

// "12.3 M", "850 k", "17": three digits.
std::string short_number(double value);
// "640 ns", "12.3 us", "4.5 ms".
std::string short_time(double ns);

}  // namespace pqd::bench

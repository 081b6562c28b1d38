// Instructions that the pieces take, as they were counted and as counts.txt has them. Pure but for their
// reading and writing; any thread.
#pragma once

#include <expected>
#include <string>
#include <vector>

namespace pqd::ratchet {

struct Count {
  std::string piece;
  double own = 0;  // instructions a thing: ours, the compiler's library and the C library, for one thing
  double libcrypto = 0;  // those of libcrypto besides, with plain instructions
};

// What counts depend on beside the sources.
struct Tools {
  std::string compiler;   // "g++ 12.2.0, glibc 2.36, x86_64"; with another one nothing can be compared
  std::string libcrypto;  // "3.0.17"; with another one its column cannot

  friend bool operator==(const Tools&, const Tools&) = default;
};
Tools tools_here();

// The percent by which a count may differ from what is written.
inline constexpr double kAllowedPercent = 2;

struct Counts {
  Tools tools;
  std::vector<Count> pieces;
};

// The text of counts.txt, and back; the error says which line is wrong.
std::string text_of(const Counts& counts);
std::expected<Counts, std::string> parse_counts(const std::string& text);

// A line for each piece that takes more than is written, or so much less that it should be written, or that
// only one of the two has. REQUIRES: the same compiler.
std::vector<std::string> differences(const Counts& written, const Counts& found);

}  // namespace pqd::ratchet

#include "tests/ratchet/counts.h"

#include <gnu/libc-version.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

namespace pqd::ratchet {
namespace {

// Below so many a thing, two percent are less than one instruction.
constexpr double kAllowedAtLeast = 1;

const char* const kHead =
    "# What the hot pieces take: instructions a thing, and those of libcrypto besides. Counted by callgrind, "
    "compared by\n"
    "# tests/run, written by\n"
    "#\n"
    "#   tests/run ratchet --write\n"
    "#\n"
    "# A count that differs by more than two percent fails, in both directions: what was won is kept.\n";

const Count* find(const std::vector<Count>& counts, const std::string& piece) {
  const auto found = std::ranges::find(counts, piece, &Count::piece);
  return found == counts.end() ? nullptr : &*found;
}

void compare(const std::string& what, double was, double is, std::vector<std::string>& lines) {
  const double allowed = std::max(was * kAllowedPercent / 100, kAllowedAtLeast);
  if (std::fabs(is - was) <= allowed) return;
  char text[160];
  std::snprintf(text, sizeof text, "%s %s: %.1f were written, now %.1f (%+.1f %%)", what.c_str(),
                is > was ? "takes more" : "takes less", was, is, was == 0 ? 100.0 : (is - was) / was * 100);
  lines.emplace_back(text);
}

}  // namespace

Tools tools_here() {
#if defined(__x86_64__)
  const std::string machine = "x86_64";
#else
  const std::string machine = "another machine";
#endif
#if defined(__clang__)
  const std::string compiler = "clang";
#else
  const std::string compiler = "g++";
#endif
  return {compiler + " " + __VERSION__ + ", glibc " + ::gnu_get_libc_version() + ", " + machine,
          ::OpenSSL_version(OPENSSL_VERSION_STRING)};
}

std::string text_of(const Counts& counts) {
  std::string text = kHead;
  text += "compiler " + counts.tools.compiler + "\nlibcrypto " + counts.tools.libcrypto + "\n\n";
  for (const Count& count : counts.pieces) {
    char line[128];
    std::snprintf(line, sizeof line, "%-16s %9.1f %9.1f\n", count.piece.c_str(), count.own, count.libcrypto);
    text += line;
  }
  return text;
}

std::expected<Counts, std::string> parse_counts(const std::string& text) {
  Counts counts;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with("compiler ")) {
      counts.tools.compiler = line.substr(9);
    } else if (line.starts_with("libcrypto ")) {
      counts.tools.libcrypto = line.substr(10);
    } else {
      std::istringstream words(line);
      Count count;
      if (!(words >> count.piece >> count.own >> count.libcrypto) || !(words >> std::ws).eof())
        return std::unexpected("'" + line + "' is no piece with two counts");
      counts.pieces.push_back(count);
    }
  }
  return counts;
}

std::vector<std::string> differences(const Counts& written, const Counts& found) {
  std::vector<std::string> lines;
  for (const Count& is : found.pieces) {
    const Count* const was = find(written.pieces, is.piece);
    if (was == nullptr) {
      lines.push_back(is.piece + " is new");
      continue;
    }
    compare(is.piece, was->own, is.own, lines);
    if (written.tools.libcrypto == found.tools.libcrypto)
      compare(is.piece + " in libcrypto", was->libcrypto, is.libcrypto, lines);
  }
  for (const Count& was : written.pieces)
    if (find(found.pieces, was.piece) == nullptr)
      lines.push_back(was.piece + " is written and was not counted");
  return lines;
}

}  // namespace pqd::ratchet

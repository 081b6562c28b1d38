#include "core/job_id.h"

namespace pqd {
namespace {

constexpr bool dash_at(size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string JobId::to_string() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text(36, '-');
  int nibble = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (dash_at(i)) continue;
    const uint64_t word = nibble < 16 ? high : low;
    text[i] = kDigits[(word >> (60 - 4 * (nibble % 16))) & 0xF];
    ++nibble;
  }
  return text;
}

std::optional<JobId> JobId::parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  JobId id;
  int nibble = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (dash_at(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int value = hex_value(text[i]);
    if (value < 0) return std::nullopt;
    uint64_t& word = nibble < 16 ? id.high : id.low;
    word = (word << 4) | static_cast<uint64_t>(value);
    ++nibble;
  }
  if (!id.well_formed()) return std::nullopt;
  return id;
}

}  // namespace pqd

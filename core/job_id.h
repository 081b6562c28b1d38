// A job's id: the UUIDv7 layout of RFC 9562 (48 bits of Unix milliseconds, version, variant), whose 74 free
// bits are not random here: a 32-bit tag that the daemon gave the session, then a 42-bit counter that only
// grows, whose top two bits are the lane. Tag and counter make ids unique without a lookup, and let nobody
// name another's job.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace pqd {

struct JobId {
  uint64_t high = 0;  // milliseconds << 16 | version << 12 | top 12 bits of the tag
  uint64_t low = 0;   // variant << 62 | low 20 bits of the tag << 42 | counter

  // Of the jobs that schedules make, see schedules.h; in a partition behind the first its number. The daemon
  // gives it to no session.
  static constexpr uint32_t kScheduleTag = 0;
  static constexpr uint64_t kCounterMax = (uint64_t{1} << 40) - 1;

  // REQUIRES: lane < 4, counter <= kCounterMax.
  static constexpr JobId make(uint64_t unix_ms, uint32_t tag, uint8_t lane, uint64_t counter) {
    return {(unix_ms << 16) | (uint64_t{7} << 12) | (tag >> 20),
            (uint64_t{2} << 62) | (uint64_t{tag & 0xFFFFF} << 42) | (uint64_t{lane} << 40) | counter};
  }

  constexpr uint64_t unix_ms() const { return high >> 16; }
  constexpr uint32_t tag() const {
    return static_cast<uint32_t>((high & 0xFFF) << 20) | static_cast<uint32_t>((low >> 42) & 0xFFFFF);
  }
  constexpr uint8_t lane() const { return static_cast<uint8_t>((low >> 40) & 3); }
  constexpr uint64_t counter() const { return low & kCounterMax; }
  constexpr bool well_formed() const { return ((high >> 12) & 0xF) == 7 && (low >> 62) == 2; }
  constexpr bool empty() const { return high == 0 && low == 0; }

  // The 36 characters 8-4-4-4-12, lower case.
  std::string to_string() const;
  // Nothing unless `text` is such a UUID (either case) of version 7.
  static std::optional<JobId> parse(std::string_view text);

  friend constexpr auto operator<=>(const JobId&, const JobId&) = default;
};
static_assert(sizeof(JobId) == 16);

// Spreads tag and counter, the parts that differ between jobs of one moment.
struct JobIdHash {
  using is_avalanching = void;
  size_t operator()(const JobId& id) const noexcept {
    uint64_t x = (id.low ^ (id.high << 40)) * 0x9E3779B97F4A7C15u;
    x ^= x >> 32;
    return static_cast<size_t>(x * 0xD6E8FEB86659FD93u);
  }
};

}  // namespace pqd

// Lets a line through a few times a second and counts the rest, so that who floods us does not flood the log.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>

namespace pqd {

class LogLimit {
 public:
  // Nothing: keep quiet. Else how many were kept quiet since the last one let through.
  std::optional<uint64_t> allow(int64_t now_ns) {
    if (now_ns - second_began_ns_ >= kSecondNs) {
      second_began_ns_ = now_ns;
      in_second_ = 0;
    }
    if (++in_second_ > kPerSecond) {
      ++quiet_;
      return std::nullopt;
    }
    const uint64_t quiet = quiet_;
    quiet_ = 0;
    return quiet;
  }

 private:
  static constexpr int64_t kSecondNs = 1'000'000'000;
  static constexpr uint32_t kPerSecond = 5;

  int64_t second_began_ns_ = -kSecondNs;
  uint32_t in_second_ = 0;
  uint64_t quiet_ = 0;
};

}  // namespace pqd

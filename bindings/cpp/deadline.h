// A moment on the monotonic clock up to which something may wait.
#pragma once

#include <algorithm>
#include <chrono>

namespace pqd {

class Deadline {
 public:
  using Clock = std::chrono::steady_clock;
  using Milliseconds = std::chrono::milliseconds;

  // Negative = never. 0 has passed already, and nobody asks the clock: who looks without a break looks more
  // often.
  static Deadline in(Milliseconds timeout) {
    if (timeout == Milliseconds(0)) return Deadline(Clock::time_point::min());
    if (timeout < Milliseconds(0) || timeout > std::chrono::hours(24 * 365))
      return Deadline(Clock::time_point::max());
    return Deadline(Clock::now() + timeout);
  }
  static Deadline at(Clock::time_point when) { return Deadline(when); }

  bool passed() const {
    if (when_ == Clock::time_point::max()) return false;
    return when_ == Clock::time_point::min() || Clock::now() >= when_;
  }
  Clock::time_point when() const { return when_; }
  // Rounded up, so that who sleeps this long does not wake just before; never more than an hour, never
  // negative.
  Milliseconds left() const {
    const auto hour = Milliseconds(3'600'000);
    if (when_ == Clock::time_point::max()) return hour;
    if (when_ == Clock::time_point::min()) return Milliseconds(0);
    const auto left = std::chrono::ceil<Milliseconds>(when_ - Clock::now());
    return std::clamp(left, Milliseconds(0), hour);
  }
  friend Deadline earlier(Deadline a, Deadline b) { return a.when_ < b.when_ ? a : b; }

 private:
  explicit Deadline(Clock::time_point when) : when_(when) {}

  Clock::time_point when_;
};

}  // namespace pqd

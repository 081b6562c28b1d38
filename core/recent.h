// Counts and times of the last hour, in buckets of one minute, for the health answer. Belongs to one thread.
#pragma once

#include <array>
#include <cstdint>

#include "core/job.h"

namespace pqd {

struct RecentFigures {
  uint64_t completed = 0;
  uint64_t failed = 0;  // for good, or timed out
  uint64_t waits = 0;
  // Sums. A long backlog drained within the hour is more of them than an int64_t counts.
  double wait_ns = 0;
  double processing_ns = 0;  // of the completed
};

class Recent {
 public:
  void waited(TimeNs now, int64_t wait_ns) {
    RecentFigures& minute = at(now);
    ++minute.waits;
    minute.wait_ns += static_cast<double>(wait_ns);
  }
  void completed(TimeNs now, int64_t processing_ns) {
    RecentFigures& minute = at(now);
    ++minute.completed;
    minute.processing_ns += static_cast<double>(processing_ns);
  }
  void failed(TimeNs now) { ++at(now).failed; }

  RecentFigures last_hour(TimeNs now) const {
    RecentFigures sum;
    for (const Bucket& bucket : buckets_) {
      if (minute_of(now) - bucket.minute >= kMinutes) continue;
      sum.completed += bucket.figures.completed;
      sum.failed += bucket.figures.failed;
      sum.waits += bucket.figures.waits;
      sum.wait_ns += bucket.figures.wait_ns;
      sum.processing_ns += bucket.figures.processing_ns;
    }
    return sum;
  }

 private:
  static constexpr int64_t kMinutes = 60;
  struct Bucket {
    int64_t minute = -kMinutes;
    RecentFigures figures;
  };
  static int64_t minute_of(TimeNs now) { return now / (60 * kSecondNs); }
  RecentFigures& at(TimeNs now) {
    Bucket& bucket = buckets_[static_cast<size_t>(minute_of(now) % kMinutes)];
    if (bucket.minute != minute_of(now)) bucket = {minute_of(now), {}};
    return bucket.figures;
  }
  std::array<Bucket, kMinutes> buckets_{};
};

}  // namespace pqd

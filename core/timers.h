// A hierarchical timing wheel over job slots: at most one timer a job, set and cleared in constant time. Six
// levels of 64 buckets, one millisecond at the finest, two years across; later deadlines wait in the last
// level and are sorted in again. Source of the scheme: Varghese and Lauck, "Hashed and Hierarchical Timing
// Wheels", SOSP 1987. Belongs to one thread; knows no clock, time comes in through `advance`.
#pragma once

#include <optional>

#include "core/job_table.h"

namespace pqd {

class Timers {
 public:
  explicit Timers(JobTable& jobs) : jobs_(jobs) { heads_.fill(kNoSlot); }

  // Sets the clock before the first timer is set.
  void start(TimeNs now_ns) { collect_due(now_ns); }

  // Fires at the first advance(now) with now >= deadline_ns, never before; replaces an earlier timer of the
  // job.
  void set(Slot slot, TimeNs deadline_ns);
  void clear(Slot slot);

  // Takes out every timer that is due and hands it to `due(slot)`; `due` may set and clear timers.
  template <class F>
  void advance(TimeNs now_ns, F&& due) {
    collect_due(now_ns);
    while (!due_.empty()) {
      const Slot slot = due_.back();
      due_.pop_back();
      if (jobs_[slot].timer_bucket != kDueBucket) continue;
      jobs_[slot].timer_bucket = 0;
      due(slot);
    }
  }

  // A time at or before the earliest deadline, nothing when there is no timer.
  std::optional<TimeNs> next_ns() const;

 private:
  static constexpr unsigned kLevels = 6;
  static constexpr unsigned kBits = 6;
  static constexpr unsigned kBuckets = 1u << kBits;
  static constexpr uint16_t kDueBucket = 0xFFFF;

  struct Expiry {
    unsigned level;
    unsigned index;
    uint64_t tick;
  };

  std::optional<Expiry> next_expiry() const;
  void link(Slot slot, uint64_t tick);
  void unlink(Slot slot);
  void collect_due(TimeNs now_ns);
  void empty_bucket(unsigned level, unsigned index);

  JobTable& jobs_;
  uint64_t now_tick_ = 0;  // every tick up to and with this one has been collected
  std::array<Slot, kLevels * kBuckets> heads_{};
  std::array<uint64_t, kLevels> occupied_{};  // bit per bucket
  std::vector<Slot> due_;
};

}  // namespace pqd

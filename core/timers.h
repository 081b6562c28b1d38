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

  // Takes out every timer that is due and hands it to `due(slot)`, in the order of deadlines and, for one
  // deadline, of the jobs' arrival; `due` may set and clear timers.
  template <class F>
  void advance(TimeNs now_ns, F&& due) {
    collect_due(now_ns);
    while (!due_.empty()) {
      for (const Slot slot : take_due()) {
        if (jobs_[slot].timer_bucket != kDueBucket) continue;  // cleared meanwhile
        jobs_[slot].timer_bucket = 0;
        due(slot);
      }
    }
  }

  // A time at or before the earliest deadline, nothing when there is no timer.
  std::optional<TimeNs> next_ns() const;

  // For State::check_invariants: the first broken invariant of the wheel by name, nullptr when it holds. All
  // jobs that stand in a bucket are appended to `seen`, once each.
  const char* find_fault(std::vector<Slot>& seen) const;
  // The tick at which a timer for this deadline fires: never before it.
  static uint64_t tick_of(TimeNs deadline_ns) {
    if (deadline_ns <= 0) return 0;
    return static_cast<uint64_t>((deadline_ns + kMillisecondNs - 1) / kMillisecondNs);
  }

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
  // When this bucket is emptied next.
  uint64_t expiry_tick(unsigned level, unsigned index) const;
  void link(Slot slot, uint64_t tick);
  void unlink(Slot slot);
  void collect_due(TimeNs now_ns);
  std::vector<Slot> take_due();
  void empty_bucket(unsigned level, unsigned index);

  JobTable& jobs_;
  uint64_t now_tick_ = 0;  // every tick up to and with this one has been collected
  std::array<Slot, kLevels * kBuckets> heads_{};
  std::array<uint64_t, kLevels> occupied_{};  // bit per bucket
  std::vector<Slot> due_;
};

}  // namespace pqd

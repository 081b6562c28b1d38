// When a job came, may start and became ready, and its place in the order of readiness. Jobs that one turn
// takes in have all of this in common but for the place, and places follow each other as the jobs' numbers
// do: memory has it once for all of them. Belongs to one thread.
#pragma once

#include <array>

#include "core/job.h"
#include "core/slab.h"

namespace pqd {

struct JobTimes {
  // What `ready_lead` is of a job that is not that far. No job has so much of a lead: numbers and places
  // count from one on, and those of durability `memory` have one bit more.
  static constexpr uint64_t kNotReady = uint64_t{1} << 62;

  TimeNs created_ns = 0;
  TimeNs start_after_ns = 0;
  TimeNs ready_ns = 0;
  uint64_t ready_lead = kNotReady;  // JobCore's ready_seq, less the job's number

  static JobTimes of(const JobCore& job) {
    return {job.created_ns, job.start_after_ns, job.ready_ns,
            job.ready_seq == 0 ? kNotReady : job.ready_seq - job.no};
  }
  uint64_t ready_seq(JobNo job) const { return ready_lead == kNotReady ? 0 : job + ready_lead; }
  // REQUIRES: the job has its number already.
  void put_into(JobCore& job) const {
    job.created_ns = created_ns;
    job.start_after_ns = start_after_ns;
    job.ready_ns = ready_ns;
    job.ready_seq = ready_seq(job.no);
  }
  // As a rule they are equal: all at once.
  friend bool operator==(const JobTimes& a, const JobTimes& b) {
    const auto differs = [](TimeNs one, TimeNs other) { return static_cast<uint64_t>(one ^ other); };
    return (differs(a.created_ns, b.created_ns) | differs(a.start_after_ns, b.start_after_ns) |
            differs(a.ready_ns, b.ready_ns) | (a.ready_lead ^ b.ready_lead)) == 0;
  }
};

using TimesNo = uint32_t;
inline constexpr TimesNo kNoTimes = 0xFFFFFFFF;

class TimesTable {
 public:
  const JobTimes& operator[](TimesNo at) const { return entries_[at].times; }

  // A job more with these.
  TimesNo add(const JobTimes& times) {
    // Jobs that are ready come between others that are not, in one turn.
    Latest& latest = latest_[times.ready_lead != JobTimes::kNotReady];
    if (latest.entry == nullptr || latest.entry->times != times) renew(latest, times);
    ++latest.entry->uses;
    return latest.at;
  }
  // A job less; with the last one they go.
  void remove(TimesNo at) {
    if (--entries_[at].uses == 0) entries_.give_back(at);
  }
  // The job that had those has these.
  void change(TimesNo& at, const JobTimes& times) {
    if (entries_[at].times == times) return;
    const TimesNo before = at;
    at = add(times);
    remove(before);
  }
  size_t size() const { return entries_.in_use(); }

 private:
  struct Entry {
    JobTimes times;
    uint32_t uses = 0;
  };
  // What the next job most likely has. It is one of the uses, so that it stays whatever becomes of the job.
  struct Latest {
    Entry* entry = nullptr;  // things in a slab do not move
    TimesNo at = kNoTimes;
  };

  void renew(Latest& latest, const JobTimes& times) {
    if (latest.entry != nullptr) remove(latest.at);
    latest.at = entries_.take();
    latest.entry = &entries_[latest.at];
    *latest.entry = {times, 1};
  }

  Slab<Entry> entries_;
  std::array<Latest, 2> latest_;
};

}  // namespace pqd

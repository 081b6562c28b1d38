// Whether a worker that has nothing to do should look for more for a while before it sleeps, so that nobody
// has to wake it: for up to so long after each turn that had work, and hardly ever where that has not paid
// lately. An idle worker has no turn, and so never looks. Pure; one thread.
#pragma once

#include <cstdint>

namespace pqd {

// Microseconds that workers look, where nobody says how many. One CPU has to be left for the disk's threads,
// and one for clients: who spins on the CPU that somebody needs to give it work looks in vain.
constexpr uint32_t spin_us_for(unsigned cpus, uint32_t partitions) { return cpus >= partitions + 2 ? 50 : 0; }

class Spin {
 public:
  // So many looks in a row that ended in sleep, and only every so many-th chance is taken until one pays.
  static constexpr unsigned kVainMax = 4;
  static constexpr unsigned kTryEvery = 16;

  // `most_ns`: how long to look after work; 0 = never.
  explicit Spin(int64_t most_ns) : most_ns_(most_ns) {}

  bool on() const { return most_ns_ > 0; }
  // There was work: looks may follow, counted from `now_ns`, on a clock that never goes back. If looks found
  // it, they have paid.
  void worked(int64_t now_ns) {
    if (looks_ > 1) vain_ = chances_ = 0;
    looks_ = 0;
    looking_ = on() && (vain_ < kVainMax || ++chances_ % kTryEvery == 0);
    until_ns_ = now_ns + most_ns_;
  }
  // Before each look: is it worth it? False: sleep. The first look is no merit of ours, who goes to sleep
  // looks once more in any case.
  bool goes_on(int64_t now_ns) {
    if (!looking_) return false;
    if (now_ns < until_ns_) return ++looks_, true;
    looking_ = false;
    looks_ = 0;
    if (vain_ < kVainMax) ++vain_;
    return false;
  }

 private:
  int64_t most_ns_;
  int64_t until_ns_ = 0;
  bool looking_ = false;
  unsigned looks_ = 0;    // since the last work
  unsigned vain_ = 0;     // in a row, as far as it matters
  unsigned chances_ = 0;  // passed by or taken, since looking does not pay
};

}  // namespace pqd

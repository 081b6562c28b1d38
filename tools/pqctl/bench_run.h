// What `pqctl bench` measures on the daemon that it is connected to, as the user who runs it and within this
// user's limits. Jobs of its own type in a queue of its own; none of them is left when it ends, but the
// history has them.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "tools/pqctl/commands.h"
#include "tools/pqctl/interrupt.h"
#include "tools/pqctl/samples.h"

namespace pqd::ctl {

struct BenchFigure {
  uint64_t jobs = 0;   // that were accepted
  double seconds = 0;  // that they took
  Samples latency{};   // empty where it is not about one job
  // What ended it before its time, or kept it from beginning: a limit of the user or the queue.
  std::optional<Complaint> limit{};
  // Of the queue: how many may be in hand at once, which bounds whole lives; 0 = no such limit, or not about
  // it.
  uint32_t max_active = 0;

  double a_second() const { return seconds > 0 ? static_cast<double>(jobs) / seconds : 0; }
};

class BenchRun {
 public:
  // REQUIRES: they outlive it.
  BenchRun(const Context& context, const BenchOptions& options, const Interrupt& interrupt)
      : context_(context), options_(options), interrupt_(interrupt) {}

  // Connects all that takes part, and takes away what an earlier run that was killed has left.
  Checked<void> begin();
  // One submit at a time, until each is acknowledged.
  BenchFigure acknowledgements();
  // Submits as fast as they go, in bursts that the queue has room for.
  BenchFigure submits();
  // Submitted, delivered, completed; how long each was on its way to here.
  BenchFigure lives();
  // No job of this type and user is left, or how many are.
  Checked<void> clean();

 private:
  bool over(int64_t until_ns) const;
  SubmitRequest request(ByteView payload) const;
  uint64_t room();
  void burst(Client& producer, uint64_t jobs, uint64_t& accepted, std::optional<Complaint>& limit);
  void produce(Client& producer, uint64_t window, int64_t until_ns, std::optional<Complaint>& limit);
  // Takes one job, if there is one within the time; false = there was none, or it cannot be consumed.
  bool complete_one(Milliseconds patience, Samples* latency);
  bool drain();
  void take_away();
  Checked<uint64_t> cancel_the_rest();

  const Context& context_;
  const BenchOptions& options_;
  const Interrupt& interrupt_;
  std::vector<Client> producers_;
  std::optional<Client> consumer_;
  std::optional<Complaint> may_not_consume_;
  std::atomic<uint64_t> submitted_{0};  // of lives(), by all producers; those refused are taken off again
  std::atomic<uint64_t> completed_{0};
  std::atomic<bool> limited_{false};
  int64_t run_ = 0;  // which run a job is of
};

}  // namespace pqd::ctl

// The life of `pqctl work`: takes jobs, or batches of them, runs a command for each, settles them by how it
// ended; with a pool, gives them to commands that stay, and settles them by what those say. One thread, one
// poll() over the client, the signals and the children's pipes.
//
//   working --SIGINT or SIGTERM--> finishing: takes no more, gives back what was not begun, lets the rest end
//   finishing --again--> aborting: kills the commands, gives their jobs back, waits for nothing more
//
// Leases of everything in hand are extended at a third of their length: until the daemon has been asked for
// that, of what is left of it when the job is taken, which is less when the delivery has lain there. When the
// cancellation of a job was asked for, or its lease is lost, its command is stopped: SIGTERM, after
// kKillAfter SIGKILL. A command with a batch is when all jobs of that are to stop; those of them that are not
// extended any more until then.
#pragma once

#include <deque>
#include <list>

#include "bindings/cpp/deadline.h"
#include "tools/pqctl/batch_outcomes.h"
#include "tools/pqctl/child.h"
#include "tools/pqctl/command_pool.h"
#include "tools/pqctl/commands.h"

namespace pqd::ctl {

class WorkLoop {
 public:
  // `signals`: a signalfd of SIGINT, SIGTERM and SIGCHLD, which must be blocked.
  WorkLoop(Context& context, Client& client, const WorkOptions& options, uint32_t subscription, int signals);
  int run();

 private:
  using Clock = Deadline::Clock;
  enum class Phase : uint8_t { kWorking, kFinishing, kAborting };

  struct Lease {
    Clock::time_point extend_at;
    Clock::duration extend_every;
    std::optional<Ticket> extension{};  // sent, and not seen to be decided
    bool length_known = false;          // extend_every is by it
  };
  // What one command works on: a job, or the jobs of a batch.
  struct Waiting {
    std::vector<DeliveredJob> jobs;  // at least one
    Lease lease;                     // the shortest
  };
  struct Running {
    Waiting work;
    Bytes input;  // of a batch, or of a command of the pool
    Child child;
    Clock::time_point started;
    bool worked_before = false;  // it comes from the pool
    bool misspoke = false;       // and is stopped for it
    bool stopping = false;
    Clock::time_point kill_at = Clock::time_point::max();
  };
  struct Settlement {
    DeliveredJob job;
    JobOutcome outcome;
  };

  // Not a word against the operation itself: later it may go.
  static bool may_pass(Error error) {
    return error == Error::kUnavailable || error == Error::kQueueFull || error == Error::kRequestTimeout;
  }

  // work_loop.cpp
  void take_signals();
  void take_jobs();
  Result<std::vector<DeliveredJob>> next();
  void start(Waiting work);
  Checked<Running> command_for(Waiting& work);
  void start_jobs();
  void tend_waiting();
  void tend_running();
  void tend(Running& running);
  void stop(Running& running);
  void extend_if_due(Waiting& work);
  bool is_extended(Lease& lease);
  void ask_for_length(Waiting& work);
  void finish_up();
  void abort_all();
  bool done() const;
  void sleep();
  Deadline next_deadline() const;

  // work_pool.cpp
  Checked<Running> from_pool(Waiting& work);
  // Whether its job is settled, and it is in the pool.
  bool hear(Running& running);
  void gone(Running& running, int status);

  // work_outcome.cpp
  void ended(Running& running, int status);
  // What the command's end says about those that it said nothing about itself.
  JobOutcome outcome_of(const Running& running, int status);
  void settle_job(Running& running, JobOutcome outcome);
  void settle_batch(Running& running, JobOutcome rest);
  void give_back(std::vector<DeliveredJob> jobs);
  void send_settlements();
  Result<Ticket> send(const Settlement& settlement);
  void report(const Running& running, const DeliveredJob& job, const JobOutcome& outcome);
  void report_rest(const Running& running, size_t count, const JobOutcome& rest);
  int end(int exit);

  Context& context_;
  Client& client_;
  const WorkOptions& options_;
  uint32_t subscription_;
  int signals_;
  Phase phase_ = Phase::kWorking;
  int exit_ = kExitOk;
  std::deque<Waiting> waiting_;
  std::list<Running> running_;
  CommandPool pool_;
  std::deque<Settlement> settlements_;  // not sent yet: the daemon is away, or has no room
  Clock::time_point ask_again_at_{};    // for lengths of leases, since no answer came
};

}  // namespace pqd::ctl

// One partition of an engine, from its part of the store to its worker: put together, run and taken apart in
// the right order, by the thread that its worker runs on. With several, each has such a thread of its own and
// shares with the others the database, the link's sending half, and the gate of rates; nothing that a turn
// waits for but the disk.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "daemon/config/config.h"
#include "daemon/engine/inherited_sessions.h"
#include "daemon/engine/session_inbox.h"
#include "daemon/engine/start_fault.h"
#include "daemon/engine/start_line.h"
#include "daemon/engine/stored_jobs.h"
#include "daemon/engine/worker.h"
#include "daemon/store/recovery.h"
#include "daemon/zone/zone_files.h"

namespace pqd {

struct PartitionSetup {
  const EngineArgs& args;
  const Config& config;
  SupervisorLink& link;
  std::shared_ptr<Database> database;
  StartLine& line;
  BrokerOptions broker;  // says which partition it is
};

class EnginePartition {
 public:
  explicit EnginePartition(PartitionSetup setup) : setup_(std::move(setup)) {}

  // Recovers, and makes its first turn durable; then it and all others can serve, or none does. Waits for the
  // others on the way.
  StartResult start();
  // Until the supervisor says stop.
  void run() { worker_->run(); }
  // The worker first of all goes; then what it wrote is finished by those who hold it. After start() in any
  // case.
  void take_apart();

  // REQUIRES: started, on the same thread.
  EventLoop& loop() { return *loop_; }
  Worker& worker() { return *worker_; }
  // For another thread.
  SessionInbox& inbox() { return inbox_; }

 private:
  PartitionNo number() const { return setup_.broker.partition; }
  // Before a line of the log or a reason, where there are several.
  std::string name() const;
  StartResult named(StartResult started) const;
  StartResult open();
  StartResult recover_state();
  StartResult fold_tail();
  StartResult begin(TimeNs latest_ns);
  StartResult first_turn(InheritedSessions& inherited);
  CheckpointerOptions checkpointer_options() const;
  // Of the checkpointer's thread: all commits up to this one are in rows.
  void covered(uint64_t to);

  PartitionSetup setup_;
  SessionInbox inbox_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<Store> store_;
  std::optional<Witness> witness_;
  State state_;
  Recovered recovered_;
  uint32_t epoch_ = 0;
  // Writer: the checkpointer's thread.
  std::atomic<uint64_t> covered_{0};
  // Writer: the worker. A hint.
  std::atomic<bool> checkpoint_wanted_{false};
  std::optional<Checkpointer> checkpointer_;
  std::optional<Committer> committer_;
  std::optional<StoredJobs> finished_;
  ZoneFiles zones_;
  std::optional<Broker> broker_;
  std::optional<EngineClock> clock_;
  SessionPorts ports_;
  std::optional<CommitLine> commits_;
  WakeSegment wake_;
  std::optional<Worker> worker_;
};

}  // namespace pqd

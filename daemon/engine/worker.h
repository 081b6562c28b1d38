// A partition's worker: what comes in goes through the broker, turn by turn, and what the broker decided
// goes out once it is as durable as it has to be. It sleeps in the event loop and is woken by clients'
// doorbells, by the committer, by the store's reader and by the supervisor; nothing is polled, but for a
// short while before it sleeps (Spin).
//
// Belongs to the thread that runs it.
#pragma once

#include <atomic>
#include <deque>
#include <optional>

#include "core/down_record.h"
#include "daemon/engine/commit_line.h"
#include "daemon/engine/disk_watch.h"
#include "daemon/engine/drain.h"
#include "daemon/engine/engine_clock.h"
#include "daemon/engine/list_looks.h"
#include "daemon/engine/session_inbox.h"
#include "daemon/engine/spin.h"
#include "daemon/engine/store_reader.h"
#include "daemon/engine/supervisor_link.h"
#include "daemon/log/log_limit.h"

namespace pqd {

struct WorkerParts {
  EventLoop& loop;
  SupervisorLink& link;
  State& state;
  Broker& broker;
  SessionPorts& ports;
  CommitLine& commits;
  EngineClock& clock;
  const Store& store;
  WakeSegment& wake;
  const std::atomic<uint64_t>& covered;  // by the latest checkpoint; writer: the checkpointer
  std::atomic<bool>& checkpoint_wanted;  // for the checkpointer; writer: the worker
  SessionInbox* inbox = nullptr;         // what another thread hears for us; nullptr = this one does
  uint32_t epoch = 0;
  int64_t spin_ns = 0;  // see Spin
};

class Worker {
 public:
  Worker(const WorkerParts& parts, uint64_t reserved_bytes);

  // A session of the grant list, mapped already.
  void serve(SessionPort& port);
  // What the supervisor says, once it is heard.
  void opened(const SessionGrant& grant);
  void closed(SessionNo session) { departed_.push_back(session); }
  void stop();
  // Until the supervisor says stop and all that had come by then is done.
  void run();

 private:
  struct Opening {
    SessionNo session = 0;
    uint64_t commit = 0;
    bool resumed = false;
  };

  void hear();
  // Both: true when there was something to do.
  bool pass();
  bool turn();
  void open_sessions();
  void warn_misrouted();
  void warn_unmapped(SessionNo session, const SysError& error);
  void close_sessions();
  void note_receipts(bool cheap);
  void publish();
  bool flush(SessionPort& port);
  void welcome_opened();
  void find_faults();
  void remove(SessionNo number);
  // Something is left to do that nobody will wake us for.
  bool left_over();
  // True when something came while it was worth looking. Meanwhile we count as awake, and nobody rings.
  bool look_on();
  bool anything_new();
  // Nothing to do until something comes; arms the wake word before the last look.
  bool can_sleep();
  // Something that found no room in a session's Down has found some.
  bool flush_blocked();
  int64_t sleep_ns();
  bool anything_readable();
  bool stopped();

  // worker_questions.cpp
  void answer_questions();
  // Some of those that wait, sessions in turns.
  void begin_questions();
  // One waits that may be answered.
  bool any_question();
  void answer(SessionPort& port, ByteView record);
  void answer_jobs(SessionPort& port, const QueryView& query);
  void answer_one_job(SessionPort& port, StoreQuestion question);
  void explain_job(SessionPort& port, uint64_t request, Slot slot);
  void answer_queues(SessionPort& port, const QueryView& query);
  void answer_schedules(SessionPort& port, const QueryView& query);  // worker_schedules.cpp
  void answer_metrics(SessionPort& port, const QueryView& query);    // worker_metrics.cpp
  void answer_metrics_from_store(SessionPort& port, const StoreQuestion& question);
  void answer_from_store(StoreQuestion& question);
  // worker_watches.cpp
  void begin_watch(SessionPort& port, ByteView record);
  void end_watch(SessionPort& port, ByteView record);
  size_t count_watches() const;
  size_t count_watches(uint32_t uid) const;
  // False when it is too large for the session; the answer is ended then.
  bool answer_with(SessionPort& port, uint64_t request, AnswerKind kind, ByteView body);
  void end_answer(SessionPort& port, uint64_t request, Error error, std::string_view text = {});
  // worker_lists.cpp
  void ask_for_list(StoreQuestion question);
  // False: more had to be asked for.
  bool complete_list(StoreQuestion& question);
  Asker asker_of(const SessionPort& port) const;
  JobInfo info_of(const JobRow& row, bool with_payload) const;

  WorkerParts parts_;
  Drain drain_;
  DiskWatch disk_;
  LogLimit log_limit_;
  Sleeper sleeper_;
  Spin spin_;
  StoreReader reader_;
  ListLooks lists_;
  // Opened in the next turn.
  std::vector<std::pair<SessionGrant, std::expected<std::unique_ptr<SessionPort>, SysError>>> arrived_;
  std::vector<SessionNo> departed_;    // clients that have gone
  std::deque<Opening> opening_;        // to be told to the supervisor when durable
  uint64_t retired_ = 0;               // jobs that finished up to this commit are forgotten
  bool turn_wanted_ = true;            // something beside lanes and timers asks for a turn
  bool more_ = false;                  // the last turn left records behind
  size_t first_asker_ = 0;             // the session whose question is next
  std::optional<int64_t>
      stop_by_ns_;  // the supervisor said stop: nothing more is taken after this (monotonic)
};

}  // namespace pqd

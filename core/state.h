// Everything the broker knows, as a fold over events: tables, live jobs, and the indexes that follow from
// them (ready lines, timers, holders, consumers). `apply` is mechanical and decides nothing; running the same
// events again gives the same state. Belongs to one thread.
#pragma once

#include <map>
#include <unordered_map>

#include "core/batches.h"
#include "core/consumers.h"
#include "core/fold.h"
#include "core/idempotency.h"
#include "core/job_table.h"
#include "core/key_lines.h"
#include "core/memory_arena.h"
#include "core/ready_queue.h"
#include "core/record_source.h"
#include "core/row_batch.h"
#include "core/tables.h"
#include "core/timers.h"

namespace pqd {

struct QueueRuntime {
  ReadyQueue ready;
  Consumers consumers;
  // Submits waiting for room: most urgent first, then by arrival; none before one that came before it with
  // its ordering key.
  std::map<std::pair<int, JobNo>, Slot> parked;
  KeyLines keys;
  uint64_t scheduled = 0;  // not_before or backoff
  uint64_t held = 0;       // by their ordering keys
  Collecting collecting;
  BatchesInHand in_hand;
  uint64_t active = 0;      // assigned or processing
  uint64_t turns_out = 0;   // the same, a batch counted once: what max_active bounds
  uint64_t dispatches = 0;  // since the engine's start, for the starvation guard
  uint64_t bytes = 0;       // payloads of the jobs that count towards the depth
  bool dirty = false;       // is in State's list of dirty queues

  uint64_t depth() const { return ready.size() + scheduled + held + collecting.size() + active; }
};

// The jobs that one session holds.
struct HeldJobs {
  Slot head = kNoSlot;
  uint32_t count = 0;
};

class State {
 public:
  State() : timers(jobs), memory(blocks) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Tables tables;
  JobTable jobs;
  BlockPool blocks;
  Timers timers;
  IdempotencyKeys idempotency;
  MemoryArena memory;
  bool had_memory_jobs = false;  // numbers were given that no journal tells of
  // The commit whose events are being applied.
  uint64_t commit = 0;
  // So many bytes of records stay in memory once the store has them, at most.
  size_t record_bytes_max = SIZE_MAX;

  // From now on records may go from memory. The source outlives the state.
  void set_record_source(RecordSource& source) { records_ = &source; }
  // The job's record, read from the source where it is away: then until the next such call.
  ByteView record(Slot slot) const;
  bool record_is_away(Slot slot) const { return blocks.is_away(jobs[slot].record.block); }
  // The same, in memory from now on, as are the records that are read with it.
  RecordRef bring_back(Slot slot);
  // Records that no checkpoint covers yet keep the others' room: one would be welcome.
  bool wants_checkpoint() const { return records_ != nullptr && blocks.bytes_in_use() > record_bytes_max; }

  TimeNs now() const { return tables.now_ns; }
  QueueRuntime& queue(QueueNo queue) { return queues_[queue]; }
  const QueueRuntime& queue(QueueNo queue) const { return queues_[queue]; }
  HeldJobs held(SessionNo session) const;
  size_t parked_count() const { return parked_count_; }
  // The queues where dispatch or admission may find something to do; the list starts anew.
  std::vector<QueueNo> take_dirty();

  // Held jobs at the front of their keys' lines, which may have their turn; the list starts anew.
  std::vector<JobNo> take_key_turns() { return std::exchange(key_turns_, {}); }
  std::string ordering_key(Slot slot) const;
  // What a job's group is called while its queue is fair: "UID" or "UID/SUBJECT", or the ordering key, ""
  // for jobs without one; "" for all while the queue is not.
  std::string group_name(Slot slot) const;
  CollectingKey collecting_key(Slot slot) const;
  // By the names of queues. Whose turn it is begins anew everywhere. Like the turns themselves, weights are
  // in no journal.
  void set_weights(std::map<std::string, QueueWeights> weights);

  void apply(const Submitted& e, const SubmitView& submit, RecordRef record);
  void apply(const Admitted& e);
  void apply(const KeyTurn& e);
  void apply(const BatchFormed& e);
  void apply(const ParkRefused& e);
  void apply(const KeyKept& e) { idempotency.keep(commit, e.key, {e.content, e.id, e.expires_ns}); }
  void apply(const KeyFreed& e) { idempotency.free(commit, e.key); }
  void apply(const Readied& e);
  void apply(const Assigned& e);
  void apply(const Reheld& e);
  void apply(const Started& e);
  void apply(const Completed& e, RecordRef result);
  void apply(const AttemptFailed& e, std::string_view error);
  void apply(const Failed& e, std::string_view error);
  void apply(const TimedOut& e);
  void apply(const Cancelled& e);
  void apply(const CancelRequested& e);
  void apply(const Released& e);
  void apply(const Extended& e, std::string_view note);
  void apply(const Redriven& e, RecordRef record, JobRow&& was);
  // `was` as e.row has it.
  void apply(const Reviewed& e, RecordRef record, JobRow&& was, std::string_view resolution);
  void apply(const Purged& e, RecordRef record, JobRow&& was);
  void apply(const CronSet& e, ByteView record) { tables.apply(e, record); }
  void apply(const QueueCreated& e);
  void apply(const QueueConfigured& e);
  void apply(const QueueOverridden& e);
  void apply(const QueueControlled& e);
  void apply(const Subscribed& e);
  void apply(const Unsubscribed& e);
  void apply(const SessionClosed& e);
  void apply(const SessionResumed& e);
  // Everything that touches the tables only.
  template <class Event>
  requires requires(Tables& t, const Event& e) { t.apply(e); }
  void apply(const Event& e) { tables.apply(e); }
  void apply(const Refused& /*audit only*/) {}

  // Recovery: puts live jobs in as their checkpointed rows have them. REQUIRES: tables are those of the same
  // checkpoint. False: two rows are of one job; the State is of no use then.
  bool restore(RowBatch&& batch);
  // Recovery: after all rows are in, ready jobs take their places and timers are set.
  void restored();
  // Recovery: applies one whole commit. False: the bytes are not a commit, or it takes a job a step that
  // there is not from where its row has it; the State is of no use then.
  bool replay(uint64_t number, ByteView events, Bytes block);

  // Jobs that finished and keys that were noted in commits up to `covered` are in the store by now: forget
  // them.
  void retire(uint64_t covered);

  // Calls f(slot) for the jobs that finished or changed since, some more than once.
  template <class F>
  void for_each_finished(F&& f) const {
    for (const auto& [commit_no, job] : finished_)
      if (const Slot slot = jobs.find(job); slot != kNoSlot) f(slot);
  }

  // Walks every structure and aborts with the name of the first broken invariant; for tests and the
  // simulator.
  // In a replay, a job may stand first in its ordering key's line and be held: before it stood a job of
  // durability `memory`, which no replay brings back.
  enum class Walk : uint8_t { kLive, kReplayed };
  void check_invariants(Walk walk = Walk::kLive) const;

 private:
  friend class Replayer;
  friend class InvariantWalk;

  Slot must_find(JobNo job) const;
  void note_attempt(Slot slot, Reason reason, std::string_view error);
  Slot place_new(const JobCore& core, RecordRef record);
  // What the event does to the job's facts: `what` as fold() has it.
  template <class... What>
  void change(Slot slot, const What&... what);
  void enter(Slot slot);          // into the structures of a pending job, and its timer
  void leave_pending(Slot slot);  // out of them
  void line_up(Slot slot);        // behind the ready ones, if that is what it is now
  void pass_turn(Slot slot);      // its group has had it
  void take_in_hand(Slot slot);   // by its holder
  void hold(Slot slot);
  void let_go(Slot slot);  // the lease ends: holder's list, consumer's credit, active
  // A job that counts towards its queue's depth from now on, or no more.
  void count_in(Slot slot);
  void count_out(Slot slot);
  void enter_line(Slot slot);  // of its ordering key
  void leave_line(Slot slot);
  uint8_t parked_rank(Slot slot) const;
  void rerank_parked(QueueNo queue, std::string_view key, JobNo left);
  void close_job(Slot slot);
  void remember(Slot slot);  // a finished job that no store will have
  void drop_references(Slot slot);
  void let_records_go() {
    if (records_ != nullptr) blocks.let_go(covered_, record_bytes_max);
  }
  void keep_extra(Slot slot, JobRow&& row);
  void restore(RowBatch::Row&& row, BlockNo block);
  // A finished job that changed: memory has it, until a checkpoint covers the change.
  void amend(JobRow&& row, RecordRef record);
  void end_session(SessionNo session);
  void set_consumer(SessionNo session, const SubscriptionEntry& subscription);
  void remove_consumer(SessionNo session, uint32_t subscription);
  void mark_dirty(QueueNo queue);
  void settings_changed(QueueNo queue);
  void group_ready_jobs(QueueNo queue);
  TimeNs pending_deadline(Slot slot) const;  // 0 = none

  std::deque<QueueRuntime> queues_;
  std::map<std::string, QueueWeights> weights_;
  std::unordered_map<SessionNo, HeldJobs> held_;
  std::deque<std::pair<uint64_t, JobNo>> finished_;  // commit in which it finished
  std::unordered_map<JobNo, uint64_t> amended_;      // finished jobs that changed: the latest commit in which
  std::deque<JobNo> memory_finished_;
  size_t memory_finished_bytes_ = 0;
  std::vector<std::pair<uint64_t, Slot>> restoring_ready_;  // by ready_seq
  std::unordered_map<Slot, std::string> restoring_groups_;  // of those among them whose groups have names
  std::vector<QueueNo> dirty_;
  std::vector<JobNo> key_turns_;
  size_t parked_count_ = 0;
  RecordSource* records_ = nullptr;
  uint64_t covered_ = 0;     // by the latest checkpoint that retire() told of
  mutable RecordsRead read_back_;  // by record(), last
};

}  // namespace pqd

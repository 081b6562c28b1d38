// Recovery's half of State: rows of a checkpoint in, then the journal's tail.
#include <algorithm>
#include <cstdlib>

#include "core/canary.h"
#include "core/event_codec.h"
#include "core/event_jobs.h"
#include "core/lifecycle.h"
#include "core/state.h"

namespace pqd {

// Takes each event of one commit to State with what it points to in the block.
class Replayer {
 public:
  Replayer(State& state, BlockNo block) : state_(state), block_(block) {}

  bool ok() const { return ok_; }

  template <class Event>
  void operator()(const Event& e) {
    // State aborts over a job that it does not know: its row is gone from the store.
    ok_ = ok_ && all_jobs_needed(e, [this](JobNo job) { return state_.jobs.find(job) != kNoSlot; });
    // And over a step that there is not: its row is as an earlier checkpoint left it.
    ok_ = ok_ && fits(e);
    if (ok_) replay(e);
  }

 private:
  template <class Event>
  bool fits(const Event& /*of no job, or without a step*/) const {
    return true;
  }
  bool fits(const Admitted& e) const { return waits(e.job, Pending::kParked); }
  bool fits(const ParkRefused& e) const { return waits(e.job, Pending::kParked); }
  bool fits(const KeyTurn& e) const { return waits(e.job, Pending::kHeld); }
  bool fits(const Readied& e) const {
    return waits(e.job, Pending::kScheduled) || waits(e.job, Pending::kBackoff);
  }
  bool fits(const BatchFormed& e) const {
    return std::ranges::all_of(e.jobs, [this](JobNo job) { return waits(job, Pending::kCollecting); });
  }
  bool fits(const Assigned& e) const { return waits(e.job, Pending::kReady); }
  bool fits(const Reheld& e) const { return may(e.job, Step::kRelease); }
  bool fits(const Started& e) const { return may(e.job, Step::kStart); }
  bool fits(const Extended& e) const { return may(e.job, Step::kRelease); }
  bool fits(const Completed& e) const { return may(e.job, Step::kComplete); }
  bool fits(const AttemptFailed& e) const { return may(e.job, Step::kRetry); }
  bool fits(const Failed& e) const { return may(e.job, Step::kFail); }
  bool fits(const TimedOut& e) const { return may(e.job, Step::kTimeout); }
  bool fits(const Cancelled& e) const { return may(e.job, Step::kCancel); }
  bool fits(const Released& e) const { return may(e.job, Step::kRelease); }
  bool fits(const Redriven& e) const { return state_.jobs.find(e.job) == kNoSlot; }

  const Job& job_of(JobNo job) const { return state_.jobs[state_.jobs.find(job)]; }
  bool may(JobNo job, Step step) const { return next_state(job_of(job).state, step).has_value(); }
  bool waits(JobNo job, Pending pending) const {
    return job_of(job).state == JobState::kPending && job_of(job).pending == pending;
  }

  ByteView bytes(const BlobRef& blob) {
    const ByteView block = *state_.blocks.shared(block_);
    if (size_t{blob.offset} + blob.bytes > block.size()) {
      ok_ = false;
      return {};
    }
    return block.subspan(blob.offset, blob.bytes);
  }
  RecordRef ref(const BlobRef& blob) const { return {block_, blob}; }

  template <class Event>
  void replay(const Event& e) {
    state_.apply(e);
  }
  void replay(const Submitted& e) {
    const auto submit = read_submit_record(bytes(e.record));
    ok_ = ok_ && submit && state_.jobs.may_add(e.job, submit->head.id);
    if (ok_) state_.apply(e, *submit, ref(e.record));
  }
  void replay(const Completed& e) {
    bytes(e.result);
    if (ok_) state_.apply(e, e.result.bytes == 0 ? RecordRef{} : ref(e.result));
  }
  void replay(const AttemptFailed& e) { state_.apply(e, as_text(bytes(e.error))); }
  void replay(const Failed& e) { state_.apply(e, as_text(bytes(e.error))); }
  void replay(const Extended& e) { state_.apply(e, as_text(bytes(e.note))); }
  void replay(const Redriven& e) {
    if (auto row = row_at(e.row, e.record)) state_.apply(e, ref(e.record), std::move(*row));
  }
  void replay(const Reviewed& e) {
    if (auto row = row_at(e.row, e.record))
      state_.apply(e, ref(e.record), std::move(*row), as_text(bytes(e.resolution)));
  }
  void replay(const Purged& e) {
    if (auto row = row_at(e.row, e.record)) state_.apply(e, ref(e.record), std::move(*row));
  }
  // Of a job that has ended: whether or not it is still remembered, it is in no line any more.
  std::optional<JobRow> row_at(const BlobRef& at, const BlobRef& record) {
    auto row = decode_row(bytes(at));
    bytes(record);
    const Slot earlier = row ? state_.jobs.find(row->core.id) : kNoSlot;
    ok_ = ok_ && row && (earlier == kNoSlot || is_finished(state_.jobs[earlier].state));
    return ok_ ? std::optional(std::move(*row)) : std::nullopt;
  }

  void replay(const CronSet& e) {
    const ByteView record = bytes(e.record);
    if (ok_) state_.apply(e, record);
  }

  State& state_;
  BlockNo block_;
  bool ok_ = true;
};

bool State::replay(uint64_t number, ByteView events, Bytes block) {
  commit = number;
  const BlockNo block_no = blocks.adopt(std::move(block), number);
  Replayer replayer(*this, block_no);
  ByteReader reader(events);
  bool ok = true;
  while (ok && reader.remaining() > 0) ok = decode_event(reader, replayer) && replayer.ok();
  blocks.drop_user(block_no);
  key_turns_.clear();  // those that were had stand in the same commit
  return ok;
}

bool State::restore(RowBatch&& batch) {
  while (queues_.size() < tables.queue_count()) queues_.emplace_back();
  const BlockNo block = blocks.adopt_rows(std::move(batch.records));
  bool ok = true;
  for (RowBatch::Row& row : batch.rows) {
    ok = jobs.may_add(row.core.no, row.core.id);
    if (!ok) break;
    restore(std::move(row), block);
  }
  blocks.drop_user(block);
  if (records_ != nullptr) blocks.let_go(0, record_bytes_max);
  return ok;
}

void State::restore(RowBatch::Row&& row, BlockNo block) {
  const Slot slot = place_new(row.core, {block, row.record});
  if (row.extra) jobs.extra(slot) = std::move(*row.extra);
  const JobCore& core = row.core;
  enter_line(slot);
  if (core.state == JobState::kPending) {
    if (core.pending != Pending::kParked) count_in(slot);
    enter(slot);
    if (core.pending == Pending::kReady) {
      restoring_ready_.emplace_back(core.ready_seq, slot);
      // While the record is in memory.
      if (auto name = group_name(slot); !name.empty()) restoring_groups_.emplace(slot, std::move(name));
    }
    if (PQD_CANARY("timer-lost-at-restart") && core.pending == Pending::kBackoff) timers.clear(slot);
    return;
  }
  count_in(slot);
  take_in_hand(slot);
  timers.set(slot, core.lease_until_ns);
}

void State::restored() {
  while (queues_.size() < tables.queue_count()) queues_.emplace_back();
  // As a rule jobs became ready in the order in which they came.
  if (!std::is_sorted(restoring_ready_.begin(), restoring_ready_.end()))
    std::sort(restoring_ready_.begin(), restoring_ready_.end());
  for (QueueNo queue = 0; queue < queues_.size(); ++queue) group_ready_jobs(queue);
  ReadyQueue::for_each_again(jobs, restoring_ready_, [this](Slot slot, bool returned) {
    const auto name = restoring_groups_.find(slot);
    queues_[jobs.terms(slot).queue].ready.push(
        jobs, slot, returned, name == restoring_groups_.end() ? std::string() : std::move(name->second));
  });
  restoring_ready_ = {};
  restoring_groups_ = {};
  for (const auto& [number, session] : tables.sessions()) {
    for (const SubscriptionEntry& sub : session.subscriptions) set_consumer(number, sub);
  }
}

}  // namespace pqd

// How jobs of a State end, are remembered, and come back as dead letters.
#include "core/limits.h"
#include "core/state.h"

namespace pqd {

void State::close_job(Slot slot) {
  count_out(slot);
  leave_line(slot);
  jobs.state_changed(slot);
  if (is_memory(jobs[slot].no)) return remember(slot);
  finished_.emplace_back(commit, jobs[slot].no);
}

// The latest of them, so that whoever waits for one finds it.
void State::remember(Slot slot) {
  const auto bytes_of = [this](Slot at) {
    const JobExtra* extra = jobs.extra_of(at);
    return jobs[at].payload_bytes + size_t{extra != nullptr ? extra->result.blob.bytes : 0};
  };
  memory_finished_.push_back(jobs[slot].no);
  memory_finished_bytes_ += bytes_of(slot);
  while (memory_finished_.size() > 1 && (memory_finished_.size() > limits::kMemoryFinishedMax ||
                                         memory_finished_bytes_ > limits::kMemoryFinishedBytesMax)) {
    const Slot oldest = must_find(memory_finished_.front());
    memory_finished_.pop_front();
    memory_finished_bytes_ -= bytes_of(oldest);
    drop_references(oldest);
    jobs.remove(oldest);
  }
}

void State::note_attempt(Slot slot, Reason reason, std::string_view error) {
  const JobCore core = jobs.core(slot);
  jobs.extra(slot).history.push_back(ended_attempt(core, tables.uid_of(core.holder), reason, error, now()));
}

void State::apply(const Redriven& e, RecordRef record, JobRow&& was) {
  const Slot earlier = jobs.find(was.core.id);
  if (earlier != kNoSlot) {
    drop_references(earlier);
    jobs.remove(earlier);
  }
  const Slot slot = place_new(reborn(e, was.core, now()), record);
  tables.apply(e);
  tables.count_dead_letter(was.core.queue, -1);
  was.note.clear();
  keep_extra(slot, std::move(was));
  count_in(slot);
  enter_line(slot);
  enter(slot);
  line_up(slot);
}

void State::keep_extra(Slot slot, JobRow&& row) {
  if (row.history.empty() && row.reviews.empty() && row.note.empty()) return;
  JobExtra& extra = jobs.extra(slot);
  extra.note = std::move(row.note);
  extra.history = std::move(row.history);
  extra.reviews = std::move(row.reviews);
}

void State::amend(JobRow&& row, RecordRef record) {
  const Slot earlier = jobs.find(row.core.id);
  if (earlier != kNoSlot) {
    drop_references(earlier);
    jobs.remove(earlier);
  }
  const JobNo job = row.core.no;
  keep_extra(place_new(row.core, record), std::move(row));
  amended_[job] = commit;
  finished_.emplace_back(commit, job);
}

void State::apply(const Reviewed& e, RecordRef record, JobRow&& was, std::string_view resolution) {
  pqd::amend(was, e, tables.uid_of(e.by), resolution, now());
  amend(std::move(was), record);
}

void State::apply(const Purged& e, RecordRef record, JobRow&& was) {
  pqd::amend(was, e, now());
  tables.count_dead_letter(was.core.queue, -1);
  amend(std::move(was), record);
}

void State::drop_references(Slot slot) {
  blocks.drop_record(jobs[slot].record.block);
  const JobExtra* extra = jobs.extra_of(slot);
  if (extra != nullptr && !extra->result.empty()) blocks.drop_user(extra->result.block);
}

void State::retire(uint64_t covered) {
  covered_ = covered;
  idempotency.retire(covered);
  while (!finished_.empty() && finished_.front().first <= covered) {
    const auto [finished, job] = finished_.front();
    finished_.pop_front();
    const auto amended = amended_.find(job);
    if (amended != amended_.end()) {
      if (amended->second > finished) continue;  // stands further behind once more
      amended_.erase(amended);
    }
    const Slot slot = jobs.find(job);
    if (slot == kNoSlot) continue;  // redriven meanwhile
    drop_references(slot);
    jobs.remove(slot);
  }
  let_records_go();
}

}  // namespace pqd

// The broker's batches: when one is complete, and how it is handed over.
#include <algorithm>
#include <unordered_set>

#include "core/broker.h"
#include "core/canary.h"

namespace pqd {

void Broker::form_full_batches(QueueNo queue) {
  Collecting& collecting = state_.queue(queue).collecting;
  const uint32_t size = state_.tables.queue(queue).settings.batch_size;
  for (const CollectingKey& key : collecting.take_grown()) {
    const auto line = collecting.lines().find(key);
    if (line == collecting.lines().end()) continue;
    for (size_t full = line->second.size() / size; full > 0; --full) form_batch(queue, key);
  }
}

// Of those that collect, in the order in which they came to it, as many as a batch may have.
void Broker::form_batch(QueueNo queue, const CollectingKey& key) {
  const CollectingLine& line = state_.queue(queue).collecting.lines().at(key);
  const uint32_t size = state_.tables.queue(queue).settings.batch_size;
  BatchFormed event{state_.tables.next_ready_seq, {}};
  for (auto at = line.begin(); at != line.end() && event.jobs.size() < size; ++at)
    event.jobs.push_back(state_.jobs[at->second].no);
  emit(event);
}

// Jobs of one batch stand in their line one behind the other; those that ended meanwhile have left it.
void Broker::assign_batch(Slot first, const ConsumerKey& to) {
  const uint64_t batch = state_.jobs.batch(first);
  for (Slot slot = first; slot != kNoSlot && state_.jobs.batch(slot) == batch;) {
    const Slot next = state_.jobs[slot].line_next;
    const bool last = next == kNoSlot || state_.jobs.batch(next) != batch;
    if (PQD_CANARY("batch-without-its-last") && last && slot != first) break;
    assign(slot, to);
    slot = next;
  }
  commit_->effects().deliveries.back().batch_last = true;
}

// Of each batch in the list, the last delivery says that it is the last.
void Broker::mark_batch_ends(std::span<DeliveryEffect> deliveries) {
  std::unordered_set<uint64_t> seen;
  for (auto at = deliveries.rbegin(); at != deliveries.rend(); ++at)
    at->batch_last = at->batch != 0 && seen.insert(at->batch).second;
}

}  // namespace pqd

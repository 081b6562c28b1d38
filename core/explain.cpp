#include "core/explain.h"

#include <algorithm>

namespace pqd {
namespace {

Explanation facts_of(const JobCore& core, const Tables& tables) {
  Explanation e;
  e.id = core.id;
  e.state = core.state;
  e.reason = core.reason;
  e.cancel_requested = core.cancel_requested;
  e.attempts = core.attempts;
  e.max_attempts = core.max_attempts;
  e.queue = tables.queue(core.queue).name;
  e.type = tables.type(core.type);
  return e;
}

// The gates that dispatch goes through, in its order.
void explain_ready(const State& state, Slot slot, Explanation& e) {
  const JobCore core = state.jobs.core(slot);
  const QueueRuntime& queue = state.queue(core.queue);
  const QueueEntry& entry = state.tables.queue(core.queue);
  e.timeout_ns = core.queue_timeout_ms == 0 ? 0 : core.ready_ns + core.queue_timeout_ms * kMillisecondNs;
  e.ahead = queue.ready.count_before(state.jobs, slot, kExplainedAheadMax);
  if (entry.paused)
    e.awaits = Awaits::kResume;
  else if (!queue.consumers.any_for(core.type))
    e.awaits = Awaits::kConsumer;
  else if (entry.settings.max_active != 0 && queue.turns_out >= entry.settings.max_active)
    e.awaits = Awaits::kMaxActive;
  else
    e.awaits = queue.consumers.wants(core.type) ? Awaits::kItsTurn : Awaits::kCredit;
}

void explain_held(const State& state, Slot slot, const Asker& asker, Explanation& e) {
  const JobCore core = state.jobs.core(slot);
  const KeyLines& keys = state.queue(core.queue).keys;
  const std::string key = state.ordering_key(slot);
  e.awaits = Awaits::kItsKey;
  e.ahead = keys.count_before(key, core.no, kExplainedAheadMax);
  const JobCore first = state.jobs.core(keys.first(key));
  if (e.ahead > 0 && may_see(asker, first)) e.behind = first.id;
}

void explain_parked(const State& state, Slot slot, Explanation& e) {
  const JobCore core = state.jobs.core(slot);
  e.awaits = Awaits::kRoom;
  e.until_ns = core.lease_until_ns;
  for (const auto& [place, other] : state.queue(core.queue).parked) {
    if (other == slot || e.ahead == kExplainedAheadMax) break;
    ++e.ahead;
  }
}

void explain_collecting(const State& state, Slot slot, Explanation& e) {
  const JobCore core = state.jobs.core(slot);
  const CollectingLine& line = state.queue(core.queue).collecting.lines().at(state.collecting_key(slot));
  e.awaits = Awaits::kBatch;
  e.ahead = static_cast<uint64_t>(std::distance(line.begin(), line.find(core.ready_seq)));
  // A released one keeps its place and waits anew: the first need not be the one that waits longest.
  TimeNs since = core.ready_ns;
  for (const auto& [seq, other] : line) since = std::min(since, state.jobs.times(other).ready_ns);
  e.until_ns = since + state.tables.queue(core.queue).settings.batch_interval_ms * kMillisecondNs;
}

void explain_pending(const State& state, Slot slot, const Asker& asker, Explanation& e) {
  const JobCore core = state.jobs.core(slot);
  switch (core.pending) {
    case Pending::kReady:
      return explain_ready(state, slot, e);
    case Pending::kScheduled:
    case Pending::kBackoff:
      e.awaits = core.pending == Pending::kScheduled ? Awaits::kItsTime : Awaits::kBackoff;
      e.until_ns = core.start_after_ns;
      return;
    case Pending::kParked:
      return explain_parked(state, slot, e);
    case Pending::kHeld:
      return explain_held(state, slot, asker, e);
    case Pending::kCollecting:
      return explain_collecting(state, slot, e);
  }
}

}  // namespace

Explanation explain(const State& state, Slot slot, const Asker& asker) {
  const JobCore core = state.jobs.core(slot);
  Explanation e = facts_of(core, state.tables);
  e.consumers = state.queue(core.queue).consumers.size();
  e.active = state.queue(core.queue).active;
  if (is_finished(core.state)) return e;
  if (core.state == JobState::kPending) {
    explain_pending(state, slot, asker, e);
    return e;
  }
  e.awaits = Awaits::kSettling;
  e.until_ns = core.lease_until_ns;
  e.holder = core.holder;
  if (const SessionEntry* holder = state.tables.session(core.holder)) {
    e.holder_pid = holder->pid;
    e.holder_uid = holder->uid;
  }
  return e;
}

Explanation explain_finished(const JobCore& job, const Tables& tables) { return facts_of(job, tables); }

}  // namespace pqd

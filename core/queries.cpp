#include "core/queries.h"

#include <algorithm>

namespace pqd {
namespace {

void judge(HealthInfo& health, const QueueInfo& queue) {
  const auto degraded = [&](const char* why) {
    health.degraded_reasons.push_back("queue " + queue.name + ": " + why);
  };
  const uint64_t depth = queue.ready + queue.scheduled + queue.held + queue.collecting + queue.active;
  if (depth * 10 >= uint64_t{queue.settings.max_depth} * 9) degraded("over 90 % of its depth is in use");
  if (queue.parked > 0) degraded("submits wait for room");
  if (queue.paused && queue.ready > 0) degraded("paused with jobs ready");
  const TimeNs timeout_ns = queue.settings.queue_timeout_ms * kMillisecondNs;
  const bool old =
      queue.oldest_ready_ns != 0 && timeout_ns != 0 && health.now_ns - queue.oldest_ready_ns > timeout_ns / 2;
  if (old)
    degraded(queue.consumers == 0 ? "jobs wait and nobody consumes" : "jobs wait over half their timeout");
}

// All of a job's row but its record.
JobRow facts_of(const State& state, Slot slot) {
  JobRow row;
  row.core = state.jobs.core(slot);
  row.payload_dropped = row.core.purged;
  const JobExtra* extra = state.jobs.extra_of(slot);
  if (extra == nullptr) return row;
  row.note = extra->note;
  row.history = extra->history;
  row.reviews = extra->reviews;
  if (extra->result.empty()) return row;
  const ByteView result = state.blocks.view(extra->result);
  row.result.assign(result.begin(), result.end());
  return row;
}

}  // namespace

JobRow row_of(const State& state, Slot slot) {
  JobRow row = facts_of(state, slot);
  const ByteView record = state.record(slot);
  row.record.assign(record.begin(), record.end());
  return row;
}

JobRow row_in_memory(const State& state, Slot slot) {
  return state.record_is_away(slot) ? facts_of(state, slot) : row_of(state, slot);
}

JobRow list_row_of(const State& state, Slot slot) {
  JobRow row = facts_of(state, slot);
  if (state.record_is_away(slot)) return row;
  auto submit = read_submit_record(state.record(slot));
  if (!submit) return row;
  submit->payload = {};
  row.record.resize(submit_record_bytes(*submit));
  write_submit_record(*submit, row.record);
  row.payload_dropped = true;
  return row;
}

std::optional<JobInfo> find_job_info(const State& state, const JobId& id, bool with_payload) {
  const Slot slot = state.jobs.find(id);
  if (slot == kNoSlot) return std::nullopt;
  const JobCore core = state.jobs.core(slot);
  return job_info(row_of(state, slot), state.tables.queue(core.queue).name, state.tables.type(core.type),
                  with_payload);
}

QueueInfo queue_info(const State& state, QueueNo number) {
  const QueueEntry& entry = state.tables.queue(number);
  const QueueRuntime& queue = state.queue(number);
  QueueInfo info;
  info.name = entry.name;
  info.settings = entry.settings;
  info.overridden = entry.overridden;
  info.overridden_uid = entry.overridden_uid;
  info.overridden_ns = entry.overridden_ns;
  info.paused = entry.paused;
  info.draining = entry.draining;
  info.ready = queue.ready.size();
  info.scheduled = queue.scheduled;
  info.held = queue.held;
  info.collecting = queue.collecting.size();
  info.active = queue.active;
  info.parked = queue.parked.size();
  info.dlq = entry.dead_letters;
  info.bytes = queue.bytes;
  info.consumers = queue.consumers.size();
  info.oldest_ready_ns = queue.ready.oldest_ready_ns(state.jobs);
  return info;
}

HealthInfo health_info(const State& state, const Recent& recent, const Surroundings& around) {
  HealthInfo health;
  health.now_ns = state.now();
  TimeNs oldest = 0;
  for (QueueNo number = 0; number < state.tables.queue_count(); ++number) {
    const QueueInfo queue = queue_info(state, number);
    health.pending += queue.ready + queue.scheduled + queue.held + queue.collecting;
    health.processing += queue.active;
    health.dlq_size += queue.dlq;
    health.capacity += queue.settings.max_depth;
    if (queue.oldest_ready_ns != 0)
      oldest = oldest == 0 ? queue.oldest_ready_ns : std::min(oldest, queue.oldest_ready_ns);
    judge(health, queue);
  }
  health.queue_depth = health.pending + health.processing;
  health.active_workers = static_cast<uint64_t>(
      std::count_if(state.tables.sessions().begin(), state.tables.sessions().end(),
                    [](const auto& session) { return !session.second.subscriptions.empty(); }));
  const RecentFigures figures = recent.last_hour(state.now());
  health.completed_recent = figures.completed;
  health.failed_recent = figures.failed;
  health.waits_recent = figures.waits;
  if (figures.waits > 0) health.average_wait_ms = figures.wait_ns / 1e6 / static_cast<double>(figures.waits);
  if (figures.completed > 0)
    health.average_processing_ms = figures.processing_ns / 1e6 / static_cast<double>(figures.completed);
  if (oldest != 0) health.oldest_ready_age_ms = static_cast<double>(state.now() - oldest) / 1e6;
  for (const std::string& why : {around.intake_closed, around.clock_off})
    if (!why.empty()) health.degraded_reasons.push_back(why);
  health.status = health.degraded_reasons.empty() ? 0 : 1;
  if (!around.intake_closed.empty()) health.status = 2;
  health.healthy = health.status == 0;
  return health;
}

}  // namespace pqd

// Queries and commands.
#include "bindings/c/handles.h"

namespace {

using namespace pqd;
using namespace pqd::c_abi;

int64_t ms_of(TimeNs ns) { return ns / kMillisecondNs; }

std::vector<pqd_attempt_info> history_of(const JobInfo& job) {
  std::vector<pqd_attempt_info> history;
  history.reserve(job.history.size());
  for (const AttemptInfo& attempt : job.history) {
    history.push_back({attempt.attempt, attempt.uid, static_cast<int32_t>(attempt.reason), 0,
                       ms_of(attempt.when_ns), attempt.error.c_str()});
  }
  return history;
}

// Points into `job` and `history`.
pqd_job_info info_of(const JobInfo& job, const std::vector<pqd_attempt_info>& history) {
  pqd_job_info info;
  pqd_job_info_init(&info);
  const JobCore& core = job.core;
  info.id = id_of(core.id);
  info.queue = job.queue.c_str();
  info.type = job.type.c_str();
  info.subject = job.subject.c_str();
  info.note = job.note.c_str();
  info.metadata = job.metadata.c_str();
  info.result = job.result.empty() ? nullptr : job.result.data();
  info.result_bytes = job.result.size();
  info.payload = job.has_payload ? job.payload.data() : nullptr;
  info.payload_bytes = core.payload_bytes;
  info.history = history.data();
  info.history_count = history.size();
  info.created_ms = ms_of(core.created_ns);
  info.start_after_ms = ms_of(core.start_after_ns);
  info.ready_ms = ms_of(core.ready_ns);
  info.assigned_ms = ms_of(core.assigned_ns);
  info.lease_until_ms = ms_of(core.lease_until_ns);
  info.finished_ms = ms_of(core.finished_ns);
  info.owner_uid = core.owner_uid;
  info.attempts = core.attempts;
  info.max_attempts = core.max_attempts;
  info.failures = core.failures;
  info.deaths = core.deaths;
  info.state = static_cast<uint8_t>(core.state);
  info.reason = static_cast<uint8_t>(core.reason);
  info.mode = static_cast<uint8_t>(core.mode);
  info.priority = core.priority;
  info.delivery = static_cast<uint8_t>(core.delivery);
  info.durability = static_cast<uint8_t>(core.durability);
  info.progress = core.progress;
  info.cancel_requested = core.cancel_requested ? 1 : 0;
  info.parked = core.state == JobState::kPending && core.pending == Pending::kParked ? 1 : 0;
  info.dlq = job.dlq ? 1 : 0;
  info.reviewed = core.reviewed ? 1 : 0;
  info.purged = core.purged ? 1 : 0;
  info.resolution = job.reviews.empty() ? "" : job.reviews.back().resolution.c_str();
  info.reviewed_ms = job.reviews.empty() ? 0 : ms_of(job.reviews.back().when_ns);
  info.reviewer_uid = job.reviews.empty() ? 0 : job.reviews.back().uid;
  return info;
}

pqd_queue_info info_of(const QueueInfo& queue) {
  pqd_queue_info info{};
  info.size = sizeof info;
  info.name = queue.name.c_str();
  info.ready = queue.ready;
  info.scheduled = queue.scheduled;
  info.held = queue.held;
  info.collecting = queue.collecting;
  info.active = queue.active;
  info.parked = queue.parked;
  info.dlq = queue.dlq;
  info.bytes = queue.bytes;
  info.consumers = queue.consumers;
  info.max_bytes = queue.settings.max_bytes;
  info.oldest_ready_ms = ms_of(queue.oldest_ready_ns);
  info.max_depth = queue.settings.max_depth;
  info.max_active = queue.settings.max_active;
  info.paused = queue.paused ? 1 : 0;
  info.draining = queue.draining ? 1 : 0;
  return info;
}

pqd_health_info info_of(const HealthInfo& health, const std::string& reasons) {
  pqd_health_info info;
  pqd_health_info_init(&info);
  info.now_ms = ms_of(health.now_ns);
  info.queue_depth = health.queue_depth;
  info.active_workers = health.active_workers;
  info.pending = health.pending;
  info.processing = health.processing;
  info.completed_recent = health.completed_recent;
  info.failed_recent = health.failed_recent;
  info.dlq_size = health.dlq_size;
  info.capacity = health.capacity;
  info.average_wait_ms = health.average_wait_ms;
  info.average_processing_ms = health.average_processing_ms;
  info.oldest_ready_age_ms = health.oldest_ready_age_ms;
  info.degraded_reasons = reasons.c_str();
  info.status = health.status;
  return info;
}

Result<void> keep_job(pqd_client* client, Result<JobInfo> job, pqd_job_info* info) {
  if (!job) return std::unexpected(std::move(job.error()));
  client->job = std::move(*job);
  client->history = history_of(client->job);
  if (!write_sized(info_of(client->job, client->history), info)) return misused("the info's size is not set");
  return {};
}

Result<ListFilter> filter_of(const pqd_list_options* options) {
  const pqd_list_options defaults = PQD_LIST_OPTIONS_INIT;
  const auto filter = list_filter_of(options == nullptr ? defaults : *options);
  if (!filter) return misused("the options' size is not set, or a field is out of its range");
  return *filter;
}

Result<void> call_for_each(const Result<std::vector<JobInfo>>& jobs, pqd_job_callback callback, void* user) {
  if (!jobs) return std::unexpected(jobs.error());
  for (const JobInfo& job : *jobs) {
    const auto history = history_of(job);
    const pqd_job_info info = info_of(job, history);
    if (callback(&info, user) != 0) break;
  }
  return {};
}

}  // namespace

extern "C" {

pqd_status pqd_get(pqd_client* client, const pqd_id* id, pqd_job_info* info) {
  return guarded(client, [&](Client& c) -> Result<void> {
    if (id == nullptr || info == nullptr) return misused("there is no id, or no info");
    return keep_job(client, c.get(id_of(*id)), info);
  });
}

pqd_status pqd_dlq_get(pqd_client* client, const pqd_id* id, pqd_job_info* info) {
  return guarded(client, [&](Client& c) -> Result<void> {
    if (id == nullptr || info == nullptr) return misused("there is no id, or no info");
    return keep_job(client, c.dlq_get(id_of(*id)), info);
  });
}

pqd_status pqd_list(pqd_client* client, const pqd_list_options* options, pqd_job_callback callback,
                    void* user) {
  return guarded(client, [&](Client& c) -> Result<void> {
    if (callback == nullptr) return misused("there is no callback");
    const auto filter = filter_of(options);
    if (!filter) return std::unexpected(filter.error());
    return call_for_each(c.list(*filter), callback, user);
  });
}

pqd_status pqd_dlq(pqd_client* client, const pqd_list_options* options, pqd_job_callback callback,
                   void* user) {
  return guarded(client, [&](Client& c) -> Result<void> {
    if (callback == nullptr) return misused("there is no callback");
    const auto filter = filter_of(options);
    if (!filter) return std::unexpected(filter.error());
    return call_for_each(c.dlq(*filter), callback, user);
  });
}

pqd_status pqd_queues(pqd_client* client, const char* name, pqd_queue_callback callback, void* user) {
  return guarded(client, [&](Client& c) -> Result<void> {
    if (callback == nullptr) return misused("there is no callback");
    const auto queues = c.queues(view_of(name));
    if (!queues) return std::unexpected(queues.error());
    for (const QueueInfo& queue : *queues) {
      const pqd_queue_info info = info_of(queue);
      if (callback(&info, user) != 0) break;
    }
    return {};
  });
}

pqd_status pqd_health(pqd_client* client, pqd_health_info* info) {
  return guarded(client, [&](Client& c) -> Result<void> {
    if (info == nullptr) return misused("there is no info");
    const auto health = c.health();
    if (!health) return std::unexpected(health.error());
    client->reasons.clear();
    for (const std::string& reason : health->degraded_reasons) {
      client->reasons += client->reasons.empty() ? reason : "\n" + reason;
    }
    if (!write_sized(info_of(*health, client->reasons), info)) return misused("the info's size is not set");
    return {};
  });
}

pqd_status pqd_cancel(pqd_client* client, const pqd_id* id, int running) {
  return guarded(client, [&](Client& c) -> Result<void> {
    if (id == nullptr) return misused("there is no id");
    return c.cancel(id_of(*id), running != 0);
  });
}

pqd_status pqd_redrive(pqd_client* client, const pqd_id* id) {
  return guarded(client, [&](Client& c) -> Result<void> {
    if (id == nullptr) return misused("there is no id");
    return c.redrive(id_of(*id));
  });
}

pqd_status pqd_review(pqd_client* client, const pqd_id* id, const char* resolution) {
  return guarded(client, [&](Client& c) -> Result<void> {
    if (id == nullptr) return misused("there is no id");
    return c.review(id_of(*id), view_of(resolution));
  });
}

pqd_status pqd_purge(pqd_client* client, const pqd_id* id) {
  return guarded(client, [&](Client& c) -> Result<void> {
    if (id == nullptr) return misused("there is no id");
    return c.purge(id_of(*id));
  });
}

pqd_status pqd_queue_control(pqd_client* client, const char* queue, pqd_queue_action action) {
  return guarded(client, [&](Client& c) -> Result<void> {
    if (action < PQD_QUEUE_PAUSE || action > PQD_QUEUE_DRAIN) return misused("there is no such action");
    return c.queue_control(static_cast<QueueAction>(action), view_of(queue));
  });
}

}  // extern "C"

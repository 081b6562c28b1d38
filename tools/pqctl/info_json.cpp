#include "tools/pqctl/info_json.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>

#include "tools/pqctl/base64.h"
#include "tools/pqctl/duration.h"
#include "tools/pqctl/json_text.h"
#include "tools/pqctl/utf8.h"

namespace pqd::ctl {
namespace {

namespace json = boost::json;

json::string_view view(std::string_view text) { return {text.data(), text.size()}; }

// Text that came from outside: what is not UTF-8 would make the whole document invalid.
json::string text_of(std::string_view text) {
  return json::string(view(valid_utf8(text) ? text : one_line(text)));
}

void put_text(json::object& object, json::string_view key, std::string_view text) {
  if (!text.empty()) object[key] = text_of(text);
}

// Under `key` as a string when it is UTF-8, else under `key_base64`.
void put_bytes(json::object& object, json::string_view key, json::string_view key_base64, ByteView bytes) {
  const std::string_view text = as_text(bytes);
  if (valid_utf8(text)) {
    object[key] = view(text);
  } else {
    object[key_base64] = base64(bytes);
  }
}

void put_time(json::object& object, json::string_view key, TimeNs time) {
  if (time != 0) object[key] = iso_time(time);
}

// The reason, and which error of the set it stands for.
void put_reason(json::object& object, Reason reason) {
  put_text(object, "reason", reason_name(reason));
  if (error_of(reason) != Error::kOk) object["code"] = view(error_name(error_of(reason)));
}

json::array errors_json(const JobInfo& job) {
  json::array errors;
  for (const AttemptInfo& attempt : job.history) {
    json::object error;
    error["attempt"] = attempt.attempt;
    put_reason(error, attempt.reason);
    put_text(error, "error", attempt.error);
    put_time(error, "at", attempt.when_ns);
    error["session"] = attempt.session;
    error["uid"] = attempt.uid;
    errors.push_back(std::move(error));
  }
  return errors;
}

json::object review_json(const ReviewInfo& review) {
  json::object object;
  put_time(object, "at", review.when_ns);
  object["uid"] = review.uid;
  object["resolution"] = text_of(review.resolution);
  return object;
}

void put_reviews(json::object& object, const JobInfo& job) {
  if (job.core.reviewed) object["reviewed"] = true;
  if (job.core.purged) object["purged"] = true;
  if (job.reviews.empty()) return;
  json::array reviews;
  for (const ReviewInfo& review : job.reviews) reviews.push_back(review_json(review));
  object["reviews"] = std::move(reviews);
}

void put_metadata(json::object& object, const std::string& metadata) {
  if (metadata.empty()) return;
  auto value = parse_json(metadata);
  object["metadata"] = value ? std::move(*value) : json::value(text_of(metadata));
}

void put_times(json::object& object, const JobCore& core) {
  put_time(object, "createdAt", core.created_ns);
  if (core.state == JobState::kPending) put_time(object, "startAfter", core.start_after_ns);
  put_time(object, "readyAt", core.ready_ns);
  put_time(object, "assignedAt", core.assigned_ns);
  if (core.state == JobState::kAssigned || core.state == JobState::kProcessing) {
    put_time(object, "leaseUntil", core.lease_until_ns);
  }
  put_time(object, "finishedAt", core.finished_ns);
}

std::string_view fairness_name(Fairness fair) {
  return fair == Fairness::kOff ? "off" : fair == Fairness::kUser ? "user" : "key";
}

double rounded(double value) { return std::round(value * 1'000) / 1'000; }

double share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

json::object job_json(const JobInfo& job) {
  const JobCore& core = job.core;
  json::object object;
  object["requestId"] = core.id.to_string();
  object["status"] = view(state_name(core.state));
  object["queue"] = text_of(job.queue);
  object["type"] = text_of(job.type);
  object["priority"] = core.priority;
  object["mode"] = view(mode_name(core.mode));
  object["attempts"] = core.attempts;
  object["maxAttempts"] = core.max_attempts;
  object["delivery"] = view(delivery_name(core.delivery));
  object["durability"] = view(durability_name(core.durability));
  put_times(object, core);
  object["uid"] = core.owner_uid;
  put_text(object, "subject", job.subject);
  object["payloadBytes"] = core.payload_bytes;
  if (core.progress != 0) object["progress"] = core.progress;
  put_text(object, "note", job.note);
  if (core.cancel_requested) object["cancelRequested"] = true;
  if (core.redriven) object["redriven"] = true;
  if (job.dlq) object["dlq"] = true;
  put_reviews(object, job);
  put_reason(object, core.reason);
  put_metadata(object, job.metadata);
  if (job.has_payload) put_bytes(object, "payload", "payloadBase64", job.payload);
  if (core.state == JobState::kCompleted) put_bytes(object, "result", "resultBase64", job.result);
  object["errors"] = errors_json(job);
  return object;
}

json::object queue_json(const QueueInfo& queue) {
  const QueueSettings& s = queue.settings;
  json::object object;
  object["queue"] = text_of(queue.name);
  object["paused"] = queue.paused;
  object["draining"] = queue.draining;
  object["ready"] = queue.ready;
  object["scheduled"] = queue.scheduled;
  object["held"] = queue.held;
  object["collecting"] = queue.collecting;
  object["active"] = queue.active;
  object["waitingForRoom"] = queue.parked;
  object["dlqSize"] = queue.dlq;
  object["payloadBytes"] = queue.bytes;
  object["consumers"] = queue.consumers;
  put_time(object, "oldestReadyAt", queue.oldest_ready_ns);
  object["settings"] = {{"maxDepth", s.max_depth},
                        {"maxBytes", s.max_bytes},
                        {"maxActive", s.max_active},
                        {"admissionTimeoutMs", s.admission_timeout_ms},
                        {"queueTimeoutMs", s.queue_timeout_ms},
                        {"processingTimeoutMs", s.processing_timeout_ms},
                        {"maxAttempts", s.max_attempts},
                        {"backoffMs", s.backoff_first_ms},
                        {"backoffCapMs", s.backoff_cap_ms},
                        {"starvationGuard", s.starvation_guard},
                        {"batchSize", s.batch_size},
                        {"batchIntervalMs", s.batch_interval_ms},
                        {"fair", view(fairness_name(s.fair))}};
  if (queue.overridden != 0) {
    json::array names;
    for (const QueueKey& key : kQueueKeys) {
      if ((queue.overridden & queue_key_bit(key.name).value_or(0)) != 0) names.push_back(view(key.name));
    }
    object["setAtRunTime"] = {
        {"settings", std::move(names)}, {"uid", queue.overridden_uid}, {"at", iso_time(queue.overridden_ns)}};
  }
  return object;
}

json::object health_json(const HealthInfo& health) {
  json::object object;
  object["healthy"] = health.healthy;
  object["status"] = view(health_status(health));
  object["queueDepth"] = health.queue_depth;
  object["activeWorkers"] = health.active_workers;
  object["averageWaitTimeMs"] = rounded(health.average_wait_ms);
  object["averageProcessingTimeMs"] = rounded(health.average_processing_ms);
  object["failureRate"] = rounded(failure_rate(health));
  object["timestamp"] = iso_time(health.now_ns);
  object["pendingCount"] = health.pending;
  object["processingCount"] = health.processing;
  object["recentFailures"] = health.failed_recent;
  object["dlqSize"] = health.dlq_size;
  object["capacityUtilization"] = rounded(capacity_utilization(health));
  object["oldestReadyAgeMs"] = rounded(health.oldest_ready_age_ms);
  json::array reasons;
  for (const std::string& reason : health.degraded_reasons) reasons.push_back(text_of(reason));
  object["degradedReasons"] = std::move(reasons);
  return object;
}

std::string_view health_status(const HealthInfo& health) {
  if (health.status == 0) return "healthy";
  return health.status == 1 ? "degraded" : "unhealthy";
}

double failure_rate(const HealthInfo& health) {
  return share(health.failed_recent, health.failed_recent + health.completed_recent);
}

double capacity_utilization(const HealthInfo& health) { return share(health.queue_depth, health.capacity); }

}  // namespace pqd::ctl

// What queries answer with: facts about a job, a queue, the daemon's health, as values and as the bytes of an
// answer's body. New fields are appended; a decoder ignores what it does not know and leaves out what it does
// not get.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/error.h"
#include "core/job.h"
#include "core/queue_keys.h"

namespace pqd {

// One attempt that did not succeed.
struct AttemptInfo {
  uint16_t attempt = 0;
  Reason reason = Reason::kNone;
  TimeNs when_ns = 0;
  SessionNo session = 0;  // who held it
  uint32_t uid = 0;
  std::string error;  // the consumer's words, at most kNoteBytesMax

  friend bool operator==(const AttemptInfo&, const AttemptInfo&) = default;
};

// Somebody looked into the job while it was a dead letter.
struct ReviewInfo {
  TimeNs when_ns = 0;
  SessionNo session = 0;
  uint32_t uid = 0;        // the reviewer
  std::string resolution;  // the reviewer's words, at most kNoteBytesMax

  friend bool operator==(const ReviewInfo&, const ReviewInfo&) = default;
};

struct JobInfo {
  JobCore core;
  std::string queue;
  std::string type;
  std::string subject;
  std::string note;      // the latest progress note
  std::string metadata;  // as submitted
  Bytes result;
  Bytes payload;  // only where the question asked for it
  bool has_payload = false;
  bool dlq = false;  // stands in the dead letter queue
  std::vector<AttemptInfo> history;
  std::vector<ReviewInfo> reviews;  // of all lives; the last one counts while core.reviewed is set
};

struct QueueInfo {
  std::string name;
  QueueSettings settings;
  bool paused = false;
  bool draining = false;
  uint64_t ready = 0;
  uint64_t scheduled = 0;  // waiting for not_before or the end of a backoff
  uint64_t active = 0;     // assigned or processing
  uint64_t parked = 0;     // submits waiting for room
  uint64_t dlq = 0;
  uint64_t bytes = 0;
  uint64_t consumers = 0;      // subscriptions
  TimeNs oldest_ready_ns = 0;  // when the longest waiting ready job became ready; 0 = none
  uint64_t held = 0;           // waiting for jobs before them with the same ordering key
  uint64_t collecting = 0;     // waiting for their batches to be complete
  QueueKeys overridden = 0;    // settings that were set at run time; who said so last, and when
  uint32_t overridden_uid = 0;
  TimeNs overridden_ns = 0;
};

struct HealthInfo {
  bool healthy = true;
  uint8_t status = 0;  // 0 healthy, 1 degraded, 2 unhealthy: see health_info()
  TimeNs now_ns = 0;
  uint64_t queue_depth = 0;     // pending + assigned + processing
  uint64_t active_workers = 0;  // sessions with a subscription
  uint64_t pending = 0;
  uint64_t processing = 0;
  uint64_t completed_recent = 0;  // within the last hour
  uint64_t failed_recent = 0;
  uint64_t dlq_size = 0;
  uint64_t capacity = 0;  // sum of max_depth over the queues in use
  double average_wait_ms = 0;
  double average_processing_ms = 0;
  double oldest_ready_age_ms = 0;
  std::vector<std::string> degraded_reasons;
  uint64_t waits_recent = 0;  // that average_wait_ms is of
};

Bytes encode(const JobInfo& info);
Bytes encode(const QueueInfo& info);
Bytes encode(const HealthInfo& info);
std::expected<JobInfo, Error> decode_job_info(ByteView body);
std::expected<QueueInfo, Error> decode_queue_info(ByteView body);
std::expected<HealthInfo, Error> decode_health_info(ByteView body);

}  // namespace pqd

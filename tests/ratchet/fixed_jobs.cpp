#include "tests/ratchet/fixed_jobs.h"

#include <random>

namespace pqd::ratchet {

ByteView fixed_payload() {
  static const Bytes payload = [] {
    std::mt19937_64 random(1);
    Bytes bytes(kPayloadBytes);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    return bytes;
  }();
  return payload;
}

SubmitView fixed_job(const JobId& id) {
  SubmitView job;
  job.head.id = id;
  job.head.queue_timeout_ms = 0;
  job.queue = "default";
  job.type = "bench";
  job.payload = fixed_payload();
  return job;
}

Bytes record_of(const SubmitView& submit) {
  Bytes record(submit_record_bytes(submit));
  write_submit_record(submit, record);
  return record;
}

std::vector<Bytes> fixed_records(FixedIds& ids, bool priorities) {
  std::vector<Bytes> records;
  for (uint32_t i = 0; i < kRoundJobs; ++i) {
    SubmitView job = fixed_job(ids.next());
    if (priorities) {
      job.head.mode = static_cast<uint8_t>(Mode::kPriority);
      // 7 and 20 have no common divisor: each priority in turn, and none beside the one before.
      job.head.priority = static_cast<uint8_t>(i * 7 % 20 + 1);
    }
    records.push_back(record_of(job));
  }
  return records;
}

}  // namespace pqd::ratchet

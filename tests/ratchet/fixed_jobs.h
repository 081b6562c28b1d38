// The jobs that all pieces work on: 200 bytes each, the same in every run.
#pragma once

#include <vector>

#include "core/submit_record.h"

namespace pqd::ratchet {

inline constexpr uint32_t kUid = 1000;
inline constexpr uint32_t kProducerTag = 7001;
inline constexpr uint32_t kRoundJobs = 1024;
inline constexpr size_t kPayloadBytes = 200;
inline constexpr uint8_t kLaneOfJobs = 1;
inline constexpr TimeNs kStartNs = 1'700'000'000'000 * kMillisecondNs;

ByteView fixed_payload();

// A job of type "bench" in queue "default", durability fsync, without a timeout.
SubmitView fixed_job(const JobId& id);

// Ids of one session in their order.
class FixedIds {
 public:
  JobId next() {
    return JobId::make(static_cast<uint64_t>(kStartNs / kMillisecondNs), kProducerTag, kLaneOfJobs,
                       ++counter_);
  }

 private:
  uint64_t counter_ = 0;
};

Bytes record_of(const SubmitView& submit);

// Records of kRoundJobs jobs with the next ids. `priorities`: in mode priority, of 1 to 20 in turn.
std::vector<Bytes> fixed_records(FixedIds& ids, bool priorities = false);

}  // namespace pqd::ratchet

// What may be set for one queue. Durations are whole milliseconds; 0 means "for ever" or "no limit" where
// the comment says so. The defaults are the contract's.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace pqd {

enum class Fairness : uint8_t { kOff, kUser, kKey };

struct QueueSettings {
  uint32_t max_depth = 10'000;  // jobs pending, assigned or processing; 1..100'000'000
  uint32_t reserved = 0;        // this and the other one stand where padding would: it is stored as bytes
  uint64_t max_bytes = uint64_t{1} << 30;   // bytes of their payloads
  uint32_t admission_timeout_ms = 5'000;    // how long a submit waits for room; 0 = refused at once
  uint32_t queue_timeout_ms = 30'000;       // longest wait once ready; 0 = for ever
  uint32_t processing_timeout_ms = 60'000;  // lease length; at least 1
  uint32_t max_active = 10;                 // jobs assigned or processing at once; 0 = no limit
  uint32_t max_attempts = 3;                // 1..65'535
  uint32_t backoff_first_ms = 1'000;
  uint32_t backoff_cap_ms = 3'600'000;
  uint32_t starvation_guard = 16;  // every n-th dispatch goes to the longest waiting; 0 = strictly by rank
  uint32_t batch_size = 100;
  uint32_t batch_interval_ms = 1'000;
  Fairness fair = Fairness::kOff;
  uint8_t reserved2[7] = {};

  friend bool operator==(const QueueSettings&, const QueueSettings&) = default;
};

// By a group's name (see State::group_name): how many turns it has while another has one. 1 where nothing is
// said; 1..limits::kFairWeightMax.
using FairWeights = std::map<std::string, uint32_t, std::less<>>;

// Of one queue: for `fair = "user"` ("UID" or "UID/SUBJECT") and for `fair = "key"`.
struct QueueWeights {
  FairWeights users;
  FairWeights keys;
  friend bool operator==(const QueueWeights&, const QueueWeights&) = default;
};

}  // namespace pqd

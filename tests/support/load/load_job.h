// What the n-th job of a load is: a function of the load's options and the number alone, so that whoever
// judges knows a job whose producer died before it could say what it had sent.
#pragma once

#include <string>

#include "bindings/cpp/requests.h"

namespace pqd::test {

struct LoadOptions {
  int producers = 2;
  int consumers = 2;
  int operators = 0;  // or 1, who looks after dead letters and keeps schedules; see operator.cpp
  uint32_t credits = 64;
  uint32_t window = 200;  // submits of one producer that are not decided yet
  std::string queue = "load";
  uint32_t partitions = 1;  // of the daemon; all of a load is in the one of its queue
  pqd::Delivery delivery = pqd::Delivery::kAtLeastOnce;
  Durability durability = Durability::kFsync;
  uint32_t ordering_keys = 0;  // of each producer, taken in turns; 0 = none
  uint16_t max_attempts = 0;   // 0 = as the queue says
  uint32_t backoff_first_ms = kTimeoutDefault;
  bool fail_some = false;  // consumers fail every 16th job's first attempt
  // Not 0: the seed of a mix of everything that jobs can be, in place of the five above; consumers hold jobs
  // for a while, fail, release and extend some, and every other one takes batches as they come.
  uint64_t mix = 0;
  std::vector<std::string> environment{};  // of its processes: "NAME=value", over our own
};

// Producers have numbers of their own, also those that take the place of a dead one; each counts its jobs
// from 0.
constexpr uint64_t load_number(uint32_t producer, uint32_t job) { return uint64_t{producer} << 32 | job; }
constexpr uint32_t producer_of(uint64_t number) { return static_cast<uint32_t>(number >> 32); }

// Which jobs are sent as one with this one.
struct AtomicSubmit {
  uint64_t first = 0;
  uint32_t jobs = 1;
};
AtomicSubmit atomic_submit(const LoadOptions& options, uint64_t number);

struct LoadJob {
  // Jobs of one content differ in their ids only: submits under one idempotency key, of the same producer or
  // of several. Else it is the job's number. It travels as the job's metadata.
  uint64_t content = 0;
  std::string type = "load";
  std::string payload;
  std::string metadata;
  std::string ordering_key;
  std::string subject;
  std::string idempotency_key;
  Mode mode = Mode::kFifo;
  uint8_t priority = kPriorityNormal;
  pqd::Delivery delivery = pqd::Delivery::kAtLeastOnce;
  Durability durability = Durability::kFsync;
  uint16_t max_attempts = 0;
  uint32_t backoff_first_ms = kTimeoutDefault;
  uint32_t queue_timeout_ms = kTimeoutDefault;
  int64_t delay_ms = 0;

  // Its views are of this. `now_ms`: Unix milliseconds, for those with a delay.
  SubmitRequest request(const LoadOptions& options, int64_t now_ms) const;
};
LoadJob load_job(const LoadOptions& options, uint64_t number);

// The content that metadata names; nothing when it is not of a load.
std::optional<uint64_t> content_of(std::string_view metadata);

// A number that looks like chance and is always the same for the same two.
uint64_t stirred(uint64_t seed, uint64_t value);

}  // namespace pqd::test

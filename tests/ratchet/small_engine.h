// A broker with what an engine has around it, without rings and disk: a producer's session, a consumer's, and
// turns that are a commit each.
#pragma once

#include <optional>
#include <vector>

#include "core/broker.h"
#include "tests/ratchet/fixed_jobs.h"

namespace pqd::ratchet {

class NoFinishedJobs final : public FinishedJobs {
 public:
  std::optional<JobRow> find_finished(const JobId& /*id*/) override { return std::nullopt; }
  std::optional<KeptKey> find_key(const ShortHash& /*key*/) override { return std::nullopt; }
};

// Limits are wide, and this user has a rate limit, as in the benchmark suite.
BrokerOptions wide_options();

class SmallEngine {
 public:
  static constexpr uint32_t kTurnJobs = 256;
  static constexpr SessionNo kProducer = 1;
  static constexpr SessionNo kConsumer = 2;

  SmallEngine();

  // Takes whatever comes, up to so many at once.
  void subscribe(uint32_t credits);
  // One turn with these submits; deliveries come from it.
  Commit submit(std::span<const Bytes> records);
  // One turn with these records of the consumer's control lane.
  Commit control(std::span<const Bytes> records);
  // What has been published of the commit needs no memory any more, and what finished in it is in the store.
  void forget(const Commit& commit);

  static Bytes completion_of(const DeliveryEffect& delivery);
  // Commits before the first job: sessions and what they subscribed to.
  const std::vector<Commit>& opening() const { return opening_; }

  State& state() { return state_; }

 private:
  template <class F>
  Commit turn(F&& body);

  State state_;
  NoFinishedJobs finished_;
  Broker broker_;
  std::vector<Commit> opening_;
  uint64_t last_commit_ = 0;
  ChainHash last_hash_{};
  uint64_t submit_seq_ = 0;
  uint64_t control_seq_ = 0;
};

}  // namespace pqd::ratchet

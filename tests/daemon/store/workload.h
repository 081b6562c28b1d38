// A busy daemon's journal: the real broker, driven by a seed through everything that changes a job, and what
// its rows must come to.
#pragma once

#include <map>
#include <random>

#include "core/broker.h"
#include "daemon/store/store.h"

namespace pqd::test {

// The live jobs and the tables, in a form that two states can be compared by.
struct Picture {
  std::map<JobNo, Bytes> live;
  Bytes tables;
  friend bool operator==(const Picture&, const Picture&) = default;
};
Picture picture_of(const State& state);

// A row's parts in words, for a failed comparison to be read.
std::string describe(ByteView row);

class Workload final : private FinishedJobs {
 public:
  Workload(const Store& store, uint64_t seed);

  // The next commit, of several turns.
  Commit commit();
  void retire(uint64_t covered) { state_.retire(covered); }

  const State& state() const { return state_; }
  const ChainHash& last_hash() const { return last_hash_; }
  uint64_t last_number() const { return last_number_; }
  // What every finished job's row must be.
  const std::map<JobId, Bytes>& finished() const { return done_; }
  const std::map<JobNo, JobId>& dead_letters() const { return dead_letters_; }
  // The keys that memory knows, with what the store must say of each once it has been checkpointed.
  std::map<ShortHash, std::optional<KeptKey>> keys() const;
  // How many of the jobs that ended did so in each state.
  const std::map<JobState, uint64_t>& endings() const { return endings_; }

 private:
  struct Producer {
    SessionNo session = 0;
    uint32_t tag = 0;
    uint64_t counter = 0;
    uint64_t seq = 0;
  };

  std::optional<JobRow> find_finished(const JobId& id) override;
  std::optional<KeptKey> find_key(const ShortHash& key) override { return store_.find_key(key).value(); }
  uint64_t below(uint64_t bound) { return random_() % bound; }
  void open_sessions();
  void turn(CommitBuilder& builder);
  void submit(CommitBuilder& builder);
  void settle_some();
  void settle(SessionNo session, Slot slot);
  void command();
  void replace_consumer();
  void subscribe(SessionNo session);
  void note_endings();

  const Store& store_;
  State state_;
  Broker broker_;
  std::mt19937_64 random_;
  TimeNs now_ = 1'700'000'000 * kSecondNs;
  uint64_t last_number_ = 0;
  ChainHash last_hash_{};
  SessionNo next_session_ = 1;
  uint32_t next_tag_ = 100;
  Producer producer_;
  std::vector<SessionNo> consumers_;
  uint64_t control_seq_ = 0;
  std::map<JobId, Bytes> done_;
  std::map<JobNo, JobId> dead_letters_;
  std::map<JobState, uint64_t> endings_;
};

}  // namespace pqd::test

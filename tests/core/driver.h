// Drives the real broker over virtual time: each turn is one commit, every commit is kept, the invariants are
// checked after every turn. When it goes, it replays all commits into a fresh state, restores one from rows,
// folds the tables alone, and demands that all of them agree.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "core/broker.h"
#include "core/queries.h"

namespace pqd::test {

inline constexpr TimeNs kStartNs = 1'700'000'000'000 * kMillisecondNs;
inline constexpr uint32_t kAdminUid = 500;
inline constexpr uint32_t kUid = 1000;

// What a client says about a job; what is left out is left to the queue.
struct JobSpec {
  std::string queue = "default";
  std::string type = "work";
  std::string payload = "payload";
  Mode mode = Mode::kPriority;
  uint8_t priority = kPriorityNormal;
  Delivery delivery = Delivery::kAtLeastOnce;
  Durability durability = Durability::kFsync;
  uint16_t max_attempts = 0;
  int64_t delay_ms = 0;
  uint32_t queue_timeout_ms = 0;  // for ever: most tests want no clock in their way
  uint32_t processing_timeout_ms = kTimeoutDefault;
  uint32_t backoff_first_ms = kTimeoutDefault;
  uint32_t backoff_cap_ms = kTimeoutDefault;
  uint16_t flags = 0;
  std::string metadata = {};
  std::string subject = {};
  std::string idempotency_key = {};
  std::string ordering_key = {};
};

// What a consumer got.
struct Delivered {
  uint64_t number = 0;
  LeaseToken token;
  JobId id;
  TimeNs lease_until_ns = 0;
  uint32_t subscription = 0;
  uint16_t attempt = 0;
  bool after_sync = false;
  std::string payload;
  uint64_t batch = 0;
  bool batch_last = false;
};

class FinishedStore : public FinishedJobs {
 public:
  std::optional<JobRow> find_finished(const JobId& id) override {
    const auto found = rows.find(id);
    return found == rows.end() ? std::nullopt : std::optional(found->second);
  }
  std::optional<KeptKey> find_key(const ShortHash& key) override {
    const auto found = keys.find(key);
    return found == keys.end() ? std::nullopt : std::optional(found->second);
  }
  std::map<JobId, JobRow> rows;
  std::map<ShortHash, KeptKey> keys;
};

class Driver {
 public:
  explicit Driver(BrokerOptions options = {});
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  // One turn and its commit.
  template <class F>
  void turn(F&& body) {
    CommitBuilder& commit = begin();
    body(commit);
    end();
  }
  void idle() {
    turn([](CommitBuilder&) {});
  }
  void advance_ms(int64_t ms) {
    now_ns += ms * kMillisecondNs;
    idle();
  }

  SessionNo open(uint32_t uid = kUid, const std::vector<uint32_t>& groups = {});
  void close(SessionNo session);
  static ShortHash secret_of(SessionNo session);
  static uint32_t tag_of(SessionNo session) { return 7'000 + static_cast<uint32_t>(session); }

  JobId next_id(SessionNo session, uint8_t priority = kPriorityNormal);
  static uint8_t lane_of(uint8_t priority);
  JobId submit(SessionNo session, const JobSpec& spec = {});
  void submit_as(SessionNo session, const JobId& id, const JobSpec& spec);
  // The same within a turn of the caller's.
  void put(CommitBuilder& commit, SessionNo session, const JobId& id, const JobSpec& spec);
  std::vector<JobId> submit_batch(SessionNo session, const std::vector<JobSpec>& specs);
  void submit_batch_as(SessionNo session, const std::vector<JobId>& ids, const std::vector<JobSpec>& specs);

  // A record of the control lane, and what became of it.
  Error command(SessionNo session, const Bytes& record);
  Error subscribe(SessionNo session, uint32_t credits = 1, const std::vector<std::string_view>& types = {},
                  std::string_view queue = "default", uint32_t number = 1);
  Error settle(SessionNo session, RecordKind kind, const Delivered& job, std::string_view body = {},
               uint16_t flags = 0);
  Error complete(SessionNo session, const Delivered& job, std::string_view result = {}) {
    return settle(session, RecordKind::kComplete, job, result);
  }
  Error fail(SessionNo session, const Delivered& job, std::string_view error = "broke", uint16_t flags = 0) {
    return settle(session, RecordKind::kFail, job, error, flags);
  }
  Error release(SessionNo session, const Delivered& job) {
    return settle(session, RecordKind::kRelease, job);
  }

  // Deliveries since the last call; `take_one` demands exactly one.
  std::vector<Delivered> take(SessionNo session);
  Delivered take_one(SessionNo session);
  // The latest receipt about this id; nothing = none, so that the watermark means done.
  std::optional<ReceiptIssued> receipt_of(const JobId& id) const;
  Error refusal_of(const JobId& id) const;
  JobRow row(const JobId& id);
  JobCore core(const JobId& id) { return row(id).core; }

  // Takes finished jobs from memory to the store, as a checkpoint does.
  void checkpoint();

  TimeNs now_ns = kStartNs;
  State state;
  FinishedStore store;
  Broker broker;
  std::vector<Commit> commits;
  bool could_wait = false;  // the last turn wrote nothing that its effects depend on
  std::vector<ReceiptEffect> receipts;
  std::vector<CancelNotice> notices;
  std::vector<SessionNo> batch_ends;

 private:
  CommitBuilder& begin();
  void end();
  BlobRef add_record(CommitBuilder& commit, SessionNo session, const JobId& id, const JobSpec& spec,
                     uint32_t batch_count, uint32_t batch_index);
  void demand_no_idle_consumer();
  void demand_replay_agrees();

  std::optional<CommitBuilder> builder_;
  SessionNo last_session_ = 0;
  std::map<std::pair<SessionNo, uint8_t>, uint64_t> counters_;  // of ids
  std::map<std::pair<SessionNo, uint8_t>, uint64_t> seqs_;      // of records in a lane
  std::map<SessionNo, std::vector<Delivered>> inboxes_;
};

}  // namespace pqd::test

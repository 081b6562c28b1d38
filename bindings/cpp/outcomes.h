// What became of the records that were sent: the receipts that have come, the tickets of earlier connections
// and where their records went. Anything without a receipt is judged by its lane's watermark, so that a
// verdict must be remembered for as long as its ticket may be asked about. Bounded: the oldest are forgotten,
// and then said to be. One thread.
#pragma once

#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bindings/cpp/client_session.h"
#include "bindings/cpp/failure.h"
#include "bindings/cpp/requests.h"

namespace pqd {

// Records of one connection that were sent again in the next: moved[lane][i] is the old number of the one
// that has number i + 1 there.
using MovedRecords = std::array<std::vector<uint64_t>, kLaneCount>;

inline Failure foreign_ticket() { return {Error::kInvalidRequest, "this is not a ticket of this client", 0}; }

// Of a submit or a subscription that the daemon calls invalid: what the client could see by itself it has
// refused already.
Failure refused_names();

class ClientOutcomes {
 public:
  static constexpr size_t kVerdictsMax = 65'536;
  static constexpr size_t kGenerationsMax = 16;

  struct Key {
    uint64_t sequence = 0;
    uint32_t generation = 0;
    uint8_t lane = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };

  uint32_t generation() const { return generation_; }
  // A receipt of the current connection.
  void take(const Receipt& receipt, ClientCounters& counters);
  // The current connection is over; its records went as `moved` says. Of those in `given_up` nobody will know
  // what became of them. `same_store`: the daemon of the next one has the store that this one had.
  void advance(MovedRecords moved, const MovedRecords& given_up, bool same_store, ClientCounters& counters);

  // Nothing = not decided yet. Asked again, it says the same again.
  std::optional<Result<Outcome>> decide(const Ticket& ticket, const ClientSession& session) const;

  // The record of the control lane with this number is a command: its sender is told its refusal, which
  // counts for nobody else. Up to `decided` all receipts of the lane have come. REQUIRES: the numbers grow.
  void sent_command(uint64_t sequence, uint64_t decided);

  // Submits that wait for room in their queue.
  bool any_deferred() const { return !deferred_.empty() || !orphans_.empty(); }
  // Those deferred in an earlier connection: no receipt will come for them, their jobs must be asked for.
  bool any_orphans() const { return !orphans_.empty(); }
  std::vector<std::pair<Key, JobId>> orphans() const;
  // The daemon has taken it, or knows of no such job: then it has found no room, or waited in another store.
  void orphan_found(const Key& key) { orphans_.erase(key); }
  void orphan_not_found(const Key& key, ClientCounters& counters);

  // Refusals since the last call.
  FlushReport take_refusals() { return std::exchange(refusals_, {}); }

 private:
  struct KeyHash {
    size_t operator()(const Key& key) const {
      const uint64_t mixed = (key.sequence << 3 | key.lane) ^ (uint64_t{key.generation} << 44);
      return static_cast<size_t>(mixed * 0x9E3779B97F4A7C15u >> 7);
    }
  };
  struct Verdict {
    Error code = Error::kOk;
    bool duplicate = false;
    std::optional<JobState> state;
    uint32_t retry_after_ms = 0;
    JobId id;
    bool waited_for_room = false;  // over a reconnect
  };

  struct Orphan {
    JobId id;
    bool same_store = true;  // in every connection since
  };

  void keep(const Key& key, const Verdict& verdict, ClientCounters& counters);
  void count_refusal(const Key& key, Error code, ClientCounters& counters);
  bool follow(Key& key) const;
  bool was_forgotten(const Key& key) const;

  std::deque<uint64_t> commands_;  // of the current connection, those that may be refused yet; ascending
  std::unordered_map<Key, Verdict, KeyHash> verdicts_;
  std::deque<Key> verdict_order_;
  std::unordered_map<Key, JobId, KeyHash> deferred_;  // in the current connection
  std::unordered_map<Key, Orphan, KeyHash> orphans_;  // in earlier ones
  std::deque<MovedRecords> moved_;  // of the connections before the current one, the latest at the back
  std::array<Key, kLaneCount> forgotten_{};  // per lane the latest record whose verdict was forgotten
  uint32_t generation_ = 1;
  FlushReport refusals_;
};

}  // namespace pqd

// Jobs that have come and nobody has taken yet, and the flags of those in hand: whether their consumer should
// stop. Its length is bounded by the subscriptions' credits, a batch to each. One thread.
//
// Deliveries of one batch follow each other. It is whole with the one that says it is the last, or, where
// that one was lost with an engine or a connection, with whatever comes behind: another batch, or the
// daemon's word that it has repeated all it could.
#pragma once

#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "bindings/cpp/delivered_job.h"

namespace pqd {

class ClientInbox {
 public:
  // Of the session whose deliveries it takes.
  explicit ClientInbox(PartitionNo partition = 0) : partition_(partition) {}

  // One record of the deliveries ring. `seen`: the number of the last delivery taken in this session; an
  // engine that took over may have written some again, which count once. Returns the number seen by now.
  uint64_t take(ByteView record, uint64_t seen);
  bool empty() const { return waiting_.empty(); }
  std::optional<DeliveredJob> pop();
  // A whole batch is there; a job of another mode is one by itself.
  bool has_batch() const { return whole_ > 0; }
  // What is left of the first one; nothing when none is whole.
  std::vector<DeliveredJob> pop_batch();
  // No notice will come for it any more.
  void settled(const LeaseToken& token) { held_.erase(token); }
  // All leases are gone: what nobody has taken is dropped, what is in hand is told to stop.
  void lose_leases();

 private:
  struct TokenHash {
    size_t operator()(const LeaseToken& token) const {
      return static_cast<size_t>((token.lease ^ (uint64_t{token.epoch} << 48)) * 0x9E3779B97F4A7C15u >> 5);
    }
  };

  struct Waiting {
    DeliveredJob job;
    bool last = false;  // of its batch
  };

  void add(DeliveredJob job);
  void end_batch();
  void forget_dropped();

  PartitionNo partition_;
  std::deque<Waiting> waiting_;
  size_t whole_ = 0;  // batches in it whose last job is there
  std::unordered_map<LeaseToken, std::weak_ptr<bool>, TokenHash> held_;
  size_t sweep_at_ = 1'024;  // entries at which those whose job was dropped unsettled are looked for
};

}  // namespace pqd

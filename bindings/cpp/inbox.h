// Jobs that have come and nobody has taken yet, and the flags of those in hand: whether their consumer should
// stop. Its length is bounded by the subscriptions' credits. One thread.
#pragma once

#include <deque>
#include <optional>
#include <unordered_map>

#include "bindings/cpp/delivered_job.h"

namespace pqd {

class ClientInbox {
 public:
  // One record of the deliveries ring. `seen`: the number of the last delivery taken in this session; an
  // engine that took over may have written some again, which count once. Returns the number seen by now.
  uint64_t take(ByteView record, uint64_t seen);
  bool empty() const { return waiting_.empty(); }
  std::optional<DeliveredJob> pop();
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

  void forget_dropped();

  std::deque<DeliveredJob> waiting_;
  std::unordered_map<LeaseToken, std::weak_ptr<bool>, TokenHash> held_;
  size_t sweep_at_ = 1'024;  // entries at which those whose job was dropped unsettled are looked for
};

}  // namespace pqd

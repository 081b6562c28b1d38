// How fast one user may submit, where several brokers ask: those of a daemon's partitions. One of them for
// all decides, so that a user's limit is the same however many partitions its queues are in. What it decided
// goes into the journal of the partition that asked, and from there, after a restart, back to the gate. A
// broker alone goes by its own tables and needs none.
//
// Deterministic. This one belongs to one thread; daemon/engine has one that many may ask.
#pragma once

#include <optional>

#include "core/rate_limit.h"

namespace pqd {

class RateGate {
 public:
  virtual ~RateGate() = default;

  // What a partition's journal came to, before anything is asked: of all times for a user the latest holds.
  virtual void learn(const RateTable& rates, TimeNs now);
  // 0: `count` submits of this user are charged. Else none is, as RateLimit::wait_ns.
  virtual std::optional<TimeNs> take(const RateUser& user, const RateLimit& limit, TimeNs now,
                                     uint64_t count);
  // Charges them whether they come too early or not; the user's TAT from then on.
  virtual TimeNs charge(const RateUser& user, const RateLimit& limit, TimeNs now, uint64_t count);
  // As if they had not come; the user's TAT from then on, 0 when nothing is remembered.
  virtual TimeNs give_back(const RateUser& user, const RateLimit& limit, TimeNs now, uint64_t count);
  virtual TimeNs tat(const RateUser& user);

 private:
  RateTable rates_;
};

}  // namespace pqd

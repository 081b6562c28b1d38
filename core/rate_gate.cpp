#include "core/rate_gate.h"

namespace pqd {

void RateGate::learn(const RateTable& rates, TimeNs now) {
  rates.for_each([&](const RateUser& user, TimeNs tat) {
    if (tat > rates_.tat(user)) rates_.set(user, tat, now);
  });
}

std::optional<TimeNs> RateGate::take(const RateUser& user, const RateLimit& limit, TimeNs now,
                                     uint64_t count) {
  const TimeNs tat = rates_.tat(user);
  const auto wait = limit.wait_ns(tat, now, count);
  if (wait == 0) rates_.set(user, limit.charged(tat, now, count), now);
  return wait;
}

TimeNs RateGate::charge(const RateUser& user, const RateLimit& limit, TimeNs now, uint64_t count) {
  const TimeNs tat = limit.charged(rates_.tat(user), now, count);
  rates_.set(user, tat, now);
  return tat;
}

TimeNs RateGate::give_back(const RateUser& user, const RateLimit& limit, TimeNs now, uint64_t count) {
  const TimeNs before = rates_.tat(user);
  if (before == 0) return 0;
  const TimeNs tat = limit.refunded(before, count);
  rates_.set(user, tat, now);
  return tat;
}

TimeNs RateGate::tat(const RateUser& user) { return rates_.tat(user); }

}  // namespace pqd

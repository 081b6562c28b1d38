// The gate of users' rates that the brokers of several partitions ask, each from its worker's thread. A lock
// is held for one look into a table; an engine with one partition has no gate. Any thread.
#pragma once

#include <mutex>

#include "core/rate_gate.h"

namespace pqd {

class SharedRateGate final : public RateGate {
 public:
  void learn(const RateTable& rates, TimeNs now) override {
    const std::lock_guard lock(mutex_);
    RateGate::learn(rates, now);
  }
  std::optional<TimeNs> take(const RateUser& user, const RateLimit& limit, TimeNs now,
                             uint64_t count) override {
    const std::lock_guard lock(mutex_);
    return RateGate::take(user, limit, now, count);
  }
  TimeNs charge(const RateUser& user, const RateLimit& limit, TimeNs now, uint64_t count) override {
    const std::lock_guard lock(mutex_);
    return RateGate::charge(user, limit, now, count);
  }
  TimeNs give_back(const RateUser& user, const RateLimit& limit, TimeNs now, uint64_t count) override {
    const std::lock_guard lock(mutex_);
    return RateGate::give_back(user, limit, now, count);
  }
  TimeNs tat(const RateUser& user) override {
    const std::lock_guard lock(mutex_);
    return RateGate::tat(user);
  }

 private:
  std::mutex mutex_;
};

}  // namespace pqd

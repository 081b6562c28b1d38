// One user's rate, asked for by many threads at once.
#include "daemon/engine/shared_rate_gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace pqd {
namespace {

constexpr TimeNs kNow = 1'700'000'000 * kSecondNs;

TEST(SharedRateGate, TakesExactlyTheBurstHoweverManyAsk) {
  SharedRateGate gate;
  const RateLimit limit(500);
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 400; ++n) {
        if (gate.take({7, ""}, limit, kNow, 1) == 0) taken.fetch_add(1);
        if (n % 10 == 0 && gate.take({7, "other"}, limit, kNow, 1) == 0)
          gate.give_back({7, "other"}, limit, kNow, 1);
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken.load(), 500);
  EXPECT_EQ(gate.tat({7, "other"}), 0) << "all was given back";
}

}  // namespace
}  // namespace pqd

// Partitions that start: together, or not at all.
#include "daemon/engine/start_line.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

namespace pqd {
namespace {

constexpr uint32_t kCount = 4;

// What each was told; `clocks`: what each says.
std::array<std::optional<TimeNs>, kCount> met(StartLine& line,
                                              const std::array<std::optional<TimeNs>, kCount>& clocks) {
  std::array<std::optional<TimeNs>, kCount> told;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kCount; ++i) threads.emplace_back([&, i] { told[i] = line.meet(clocks[i]); });
  for (std::thread& thread : threads) thread.join();
  return told;
}

TEST(StartLine, TellsAllTheLatestTimeOfAny) {
  StartLine line(kCount);
  for (const auto& told : met(line, {5, 90, 7, 0})) EXPECT_EQ(told, 90);
  for (const auto& told : met(line, {0, 0, 0, 0})) EXPECT_EQ(told, 90) << "in each round";
}

TEST(StartLine, StartsNobodyWhenOneCannot) {
  StartLine line(kCount);
  for (const auto& told : met(line, {5, std::nullopt, 7, 0})) EXPECT_FALSE(told);
  for (const auto& told : met(line, {5, 6, 7, 0})) EXPECT_FALSE(told) << "from then on";
}

TEST(StartLine, LetsNobodyGoOnBeforeTheLastHasCome) {
  StartLine line(kCount);
  std::atomic<uint32_t> come{0};
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < kCount; ++i)
    threads.emplace_back([&] {
      for (uint32_t round = 1; round <= 100; ++round) {
        come.fetch_add(1);
        line.meet(0);
        EXPECT_GE(come.load(), round * kCount);
      }
    });
  for (std::thread& thread : threads) thread.join();
}

TEST(StartLine, OfOneWaitsForNobody) {
  StartLine line(1);
  EXPECT_EQ(line.meet(3), 3);
}

}  // namespace
}  // namespace pqd

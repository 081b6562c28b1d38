// Who takes jobs from one queue, without a broker: joining, leaving, turns.
#include "core/consumers.h"

#include <gtest/gtest.h>

#include <string>

namespace pqd {
namespace {

constexpr TypeNo kType = 7;

std::vector<uint32_t> next_turns(Consumers& consumers, size_t count) {
  std::vector<uint32_t> turns;
  while (turns.size() < count) turns.push_back(consumers.next(kType).value_or(ConsumerKey{}).subscription);
  return turns;
}

// Two programs with all the subscriptions that their sessions may have, to the same types.
TEST(ConsumersTest, LeavingCostsNoLookAtAllTheOthers) {
  constexpr uint32_t kConsumers = 2'048;
  std::vector<TypeNo> types(64);
  for (size_t i = 0; i < types.size(); ++i) types[i] = static_cast<TypeNo>(i);
  Consumers consumers;
  for (uint32_t number = 0; number < kConsumers; ++number) consumers.set({1, number}, types, 1, 0);
  for (uint32_t number = 0; number < kConsumers; ++number) {
    consumers.remove({1, number});
    ASSERT_TRUE(number % 128 != 0 || consumers.find_fault() == nullptr) << consumers.find_fault();
  }
  EXPECT_LE(consumers.leaving_steps(), 3 * types.size() * kConsumers);
  EXPECT_EQ(consumers.size(), 0u);
  EXPECT_FALSE(consumers.any_for(kType));
  EXPECT_FALSE(consumers.next(kType).has_value());
}

TEST(ConsumersTest, ThoseWhoStayTakeTurnsAsTheyJoined) {
  Consumers consumers;
  for (uint32_t number = 1; number <= 9; ++number) consumers.set({1, number}, {kType, 8}, 5, 0);
  EXPECT_EQ(next_turns(consumers, 2), (std::vector<uint32_t>{1, 2}));
  for (const uint32_t gone : {1u, 4u, 8u}) consumers.remove({1, gone});
  EXPECT_EQ(next_turns(consumers, 7), (std::vector<uint32_t>{2, 3, 5, 6, 7, 9, 2})) << "from the first on";
  consumers.set({1, 4}, {kType}, 5, 0);
  for (const uint32_t gone : {2u, 3u, 9u}) consumers.remove({1, gone});
  EXPECT_EQ(next_turns(consumers, 5), (std::vector<uint32_t>{5, 6, 7, 4, 5})) << "who came back is the last";
  EXPECT_EQ(consumers.find_fault(), nullptr);
}

TEST(ConsumersTest, OneThatComesInThePlaceOfAnotherIsNotTakenForIt) {
  Consumers consumers;
  for (uint32_t number = 1; number <= 4; ++number) consumers.set({1, number}, {kType}, 5, 0);
  consumers.remove({1, 1});
  consumers.set({1, 5}, {8}, 5, 0);
  EXPECT_EQ(next_turns(consumers, 4), (std::vector<uint32_t>{2, 3, 4, 2}));
  EXPECT_EQ(consumers.find_fault(), nullptr);
}

}  // namespace
}  // namespace pqd

#include "daemon/loop/timer_heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace pqd {
namespace {

TEST(TimerHeap, GivesOutWhatIsDueInTheOrderOfDeadlinesThenOfAdding) {
  TimerHeap heap;
  std::vector<int> ran;
  heap.add(20, [&] { ran.push_back(3); });
  heap.add(10, [&] { ran.push_back(1); });
  heap.add(10, [&] { ran.push_back(2); });
  heap.add(30, [&] { ran.push_back(4); });
  while (auto handler = heap.take_due(20)) (*handler)();
  EXPECT_EQ(ran, (std::vector{1, 2, 3}));
  EXPECT_EQ(heap.next_deadline_ns(), 30);
}

TEST(TimerHeap, ASpentIdCancelsNobodyElse) {
  TimerHeap heap;
  const TimerId first = heap.add(1, [] {});
  EXPECT_TRUE(heap.cancel(first));
  const TimerId second = heap.add(1, [] {});
  EXPECT_NE(first, second);
  EXPECT_FALSE(heap.cancel(first));
  EXPECT_FALSE(heap.cancel(0));
  EXPECT_TRUE(heap.take_due(1));
  EXPECT_FALSE(heap.cancel(second));
}

TEST(TimerHeap, AgreesWithAnOrderedMapThroughRandomAddingCancellingAndTaking) {
  std::mt19937 random(12345);
  TimerHeap heap;
  std::map<std::pair<int64_t, int>, TimerId> model;
  int number = 0;
  int ran = -1;
  for (int step = 0; step < 20'000; ++step) {
    const auto dice = random() % 8;
    if (dice < 4) {
      const int64_t deadline = static_cast<int64_t>(random() % 100);
      const int mine = number++;
      model[{deadline, mine}] = heap.add(deadline, [&ran, mine] { ran = mine; });
    } else if (dice < 6 && !model.empty()) {
      const auto victim = std::next(model.begin(), static_cast<std::ptrdiff_t>(random() % model.size()));
      ASSERT_TRUE(heap.cancel(victim->second));
      model.erase(victim);
    } else if (!model.empty()) {
      ASSERT_EQ(heap.next_deadline_ns(), model.begin()->first.first);
      ASSERT_FALSE(heap.take_due(model.begin()->first.first - 1));
      (*heap.take_due(100))();
      ASSERT_EQ(ran, model.begin()->first.second);
      model.erase(model.begin());
    }
    ASSERT_EQ(heap.empty(), model.empty());
  }
}

}  // namespace
}  // namespace pqd

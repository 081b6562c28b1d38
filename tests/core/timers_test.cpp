#include "core/timers.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace pqd {
namespace {

struct Wheel {
  Slot add() {
    JobCore core;
    core.no = ++last;
    core.id = JobId::make(1, 1, 0, core.no);
    return jobs.add(core, {});
  }
  std::vector<Slot> advance(TimeNs now) {
    std::vector<Slot> fired;
    timers.advance(now, [&](Slot slot) { fired.push_back(slot); });
    check();
    return fired;
  }
  void check() const {
    std::vector<Slot> seen;
    EXPECT_STREQ(timers.find_fault(seen), nullptr);
  }
  JobNo last = 0;
  JobTable jobs;
  Timers timers{jobs};
};

constexpr TimeNs ms(int64_t value) { return value * kMillisecondNs; }

TEST(Timers, FireAtTheirMillisecondAndNeverBefore) {
  for (const int64_t delay : {1, 2, 63, 64, 65, 4'095, 4'096, 4'097, 1'000'000, 100'000'000}) {
    Wheel w;
    const int64_t start = 1'700'000'000'123;
    w.timers.start(ms(start));
    const Slot slot = w.add();
    w.timers.set(slot, ms(start + delay) - 1);  // rounded up to the millisecond
    EXPECT_TRUE(w.advance(ms(start + delay) - 1).empty()) << delay;
    EXPECT_EQ(w.advance(ms(start + delay)), std::vector{slot}) << delay;
  }
}

TEST(Timers, PastDeadlineFiresAtTheNextAdvance) {
  Wheel w;
  w.timers.start(ms(1'000));
  const Slot slot = w.add();
  w.timers.set(slot, ms(10));
  EXPECT_EQ(w.timers.next_ns(), TimeNs{0});
  EXPECT_EQ(w.advance(ms(1'000)), std::vector{slot});
}

TEST(Timers, ClearedTimerStaysSilentAndALaterSetReplacesIt) {
  Wheel w;
  w.timers.start(ms(1'000));
  const Slot cleared = w.add();
  const Slot moved = w.add();
  w.timers.set(cleared, ms(1'010));
  w.timers.set(moved, ms(1'010));
  w.timers.clear(cleared);
  w.timers.set(moved, ms(1'500));
  EXPECT_TRUE(w.advance(ms(1'499)).empty());
  EXPECT_EQ(w.advance(ms(1'500)), std::vector{moved});
  EXPECT_FALSE(w.timers.next_ns().has_value());
}

TEST(Timers, DueOnesComeInTheOrderOfDeadlinesThenArrival) {
  Wheel w;
  w.timers.start(ms(1'000));
  const Slot a = w.add(), b = w.add(), c = w.add(), e = w.add();
  w.timers.set(a, ms(90'000));
  w.timers.set(c, ms(1'001));
  w.timers.set(b, ms(1'001));
  w.timers.set(e, ms(5'000));
  const Slot f = w.add(), g = w.add();
  w.timers.set(f, ms(1'002));
  w.timers.set(g, ms(1'002));
  EXPECT_EQ(w.advance(ms(100'000)), (std::vector{b, c, f, g, e, a}));
}

TEST(Timers, CallbackMayClearAnotherDueTimerAndSetNewOnes) {
  Wheel w;
  w.timers.start(ms(1'000));
  const Slot first = w.add(), second = w.add();
  w.timers.set(first, ms(1'001));
  w.timers.set(second, ms(1'002));
  std::vector<Slot> fired;
  w.timers.advance(ms(2'000), [&](Slot slot) {
    fired.push_back(slot);
    if (slot != first || fired.size() > 1) return;
    w.timers.clear(second);
    w.timers.set(first, ms(1'500));  // due already: fires within the same advance
  });
  EXPECT_EQ(fired, (std::vector{first, first}));
}

// 2^36 ms are the span of the wheel; the 26th of these boundaries lies in August 2026.
TEST(Timers, ShortDelayAcrossTheEndOfTheWheelsSpanIsNotLate) {
  const int64_t boundary = (int64_t{1} << 36) * 26;
  for (const int64_t before : {1, 1'000, 100'000'000}) {
    Wheel w;
    w.timers.start(ms(boundary - before));
    const Slot slot = w.add();
    w.timers.set(slot, ms(boundary + 5));
    w.check();
    EXPECT_TRUE(w.advance(ms(boundary + 4)).empty()) << before;
    EXPECT_EQ(w.advance(ms(boundary + 5)), std::vector{slot}) << before;
  }
}

TEST(Timers, DeadlineBeyondTheWheelsSpanIsKept) {
  Wheel w;
  const int64_t start = 1'700'000'000'000;
  const int64_t years = int64_t{10} * 366 * 86'400'000;
  w.timers.start(ms(start));
  const Slot slot = w.add();
  w.timers.set(slot, ms(start + years));
  for (auto next = w.timers.next_ns(); next && *next < ms(start + years); next = w.timers.next_ns())
    EXPECT_TRUE(w.advance(*next).empty());
  EXPECT_EQ(w.advance(ms(start + years)), std::vector{slot});
}

TEST(Timers, AgreeWithASortedListOverRandomSetsClearsAndJumps) {
  std::mt19937_64 random(42);
  Wheel w;
  int64_t now = (int64_t{1} << 36) * 26 - 3'000'000;
  w.timers.start(ms(now));
  std::vector<Slot> slots;
  for (int i = 0; i < 200; ++i) slots.push_back(w.add());
  std::map<Slot, int64_t> expected;
  for (int round = 0; round < 5'000; ++round) {
    const Slot slot = slots[random() % slots.size()];
    if (random() % 4 == 0) {
      w.timers.clear(slot);
      expected.erase(slot);
    } else {
      const int64_t at = now + static_cast<int64_t>(random() % (uint64_t{1} << (random() % 38)));
      w.timers.set(slot, ms(at));
      expected[slot] = at;
    }
    if (random() % 3 != 0) continue;
    now += static_cast<int64_t>(random() % (uint64_t{1} << (random() % 30)));
    std::set<Slot> fired;
    for (const Slot due : w.advance(ms(now))) fired.insert(due);
    std::set<Slot> wanted;
    for (const auto& [due, at] : expected) {
      if (at <= now) wanted.insert(due);
    }
    ASSERT_EQ(fired, wanted) << "round " << round;
    for (const Slot due : fired) expected.erase(due);
    const auto next = w.timers.next_ns();
    ASSERT_EQ(next.has_value(), !expected.empty());
    for (const auto& [due, at] : expected) ASSERT_LE(*next, ms(at));
  }
}

}  // namespace
}  // namespace pqd

#include "tests/bench/turns.h"

#include <gtest/gtest.h>

namespace pqd::bench {
namespace {

TEST(Turns, GoRoundAndRoundSoThatNobodysRepeatsFollowEachOther) {
  std::string order;
  const auto noting = [&](char who) {
    return [&order, who](Line& line) {
      order += who;
      line.add("turns", static_cast<double>(order.size()));
      return std::string();
    };
  };
  Plan plan;
  plan.repeats = 3;
  const std::vector<Line> lines =
      measure_in_turns(plan, {{Line{"a", ""}, noting('a')}, {Line{"b", ""}, noting('b')}});
  EXPECT_EQ(order, "ababab");
  EXPECT_EQ(lines[0].figure("turns")->repeats, (std::vector<double>{1, 3, 5}));
  EXPECT_EQ(lines[1].figure("turns")->repeats, (std::vector<double>{2, 4, 6}));
}

TEST(Turns, ArePassedOverByWhoCouldNotOnce) {
  unsigned tried = 0;
  unsigned others = 0;
  Plan plan;
  plan.repeats = 3;
  const std::vector<Line> lines =
      measure_in_turns(plan, {{Line{"absent", ""}, [&](Line&) { return ++tried == 2 ? "gone" : ""; }},
                              {Line{"there", ""}, [&](Line&) {
                                 ++others;
                                 return "";
                               }}});
  EXPECT_EQ(tried, 2u);
  EXPECT_EQ(others, 3u);
  EXPECT_EQ(lines[0].fault, "gone");
  EXPECT_EQ(lines[1].fault, "");
}

TEST(Turns, TellTheDistanceOfTheCpusBeforeEachWhereItIsAsked) {
  Plan plan;
  plan.repeats = 2;
  const auto nothing = [](Line&) { return std::string(); };
  const auto told = measure_in_turns(plan, {{Line{"a", ""}, nothing}}, Distance::kTold);
  EXPECT_EQ(told[0].between_cpus_ns.size(), 2u);
  EXPECT_TRUE(measure_in_turns(plan, {{Line{"a", ""}, nothing}})[0].between_cpus_ns.empty());
}

}  // namespace
}  // namespace pqd::bench

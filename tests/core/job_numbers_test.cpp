// Numbers of jobs against a plain map of them.
#include "core/job_numbers.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace pqd {
namespace {

TEST(JobNumbersTest, LeadToTheirSlotsWhateverComesAndGoes) {
  std::mt19937_64 random(7);
  JobNumbers numbers;
  std::map<JobNo, Slot> naive;
  JobNo last = 0;
  for (int round = 0; round < 200; ++round) {
    for (int i = 0; i < 100; ++i) {
      const JobNo no = ++last | (random() % 5 == 0 ? kMemoryJob : 0);
      const auto slot = static_cast<Slot>(random() % 1'000'000);
      numbers.add(no, slot);
      naive[no] = slot;
    }
    for (size_t gone = random() % naive.size(); gone > 0; --gone) {
      // Mostly the oldest ones.
      auto at = naive.begin();
      if (random() % 10 == 0) std::advance(at, random() % naive.size());
      numbers.remove(at->first);
      naive.erase(at);
    }
    ASSERT_EQ(numbers.size(), naive.size());
    for (JobNo no = 1; no <= last + 20; ++no) {
      for (const JobNo any : {no, no | kMemoryJob}) {
        const auto at = naive.find(any);
        ASSERT_EQ(numbers.find(any), at == naive.end() ? kNoSlot : at->second) << "round " << round;
      }
    }
  }
}

TEST(JobNumbersTest, KeepNothingOfJobsThatAreGone) {
  JobNumbers numbers;
  for (JobNo no = 1; no <= 10'000; ++no) numbers.add(no, 1);
  EXPECT_LE(numbers.page_count(), 10'000u / 16 + 1);
  for (JobNo no = 1; no <= 10'000; ++no)
    if (no != 5'000) numbers.remove(no);
  EXPECT_EQ(numbers.page_count(), 1u);
  EXPECT_EQ(numbers.find(5'000), 1u);
}

TEST(JobNumbersTest, TwoJobsOfOneNumberAreAMistake) {
  JobNumbers numbers;
  numbers.add(3, 1);
  EXPECT_DEATH(numbers.add(3, 2), "");
  EXPECT_DEATH(numbers.remove(4), "");
}

}  // namespace
}  // namespace pqd

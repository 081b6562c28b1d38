#include "core/job_id.h"

#include <gtest/gtest.h>

#include <set>

namespace pqd {
namespace {

TEST(JobIds, KeepEveryPartAtItsLimits) {
  for (const uint32_t tag : {0u, 1u, 0xFFFFFu, 0x100000u, 0xDEADBEEFu, 0xFFFFFFFFu}) {
    for (const uint64_t counter : {uint64_t{0}, uint64_t{1}, JobId::kCounterMax}) {
      for (const uint8_t lane : {uint8_t{0}, uint8_t{3}}) {
        const JobId id = JobId::make((uint64_t{1} << 48) - 1, tag, lane, counter);
        EXPECT_TRUE(id.well_formed());
        EXPECT_EQ(id.unix_ms(), (uint64_t{1} << 48) - 1);
        EXPECT_EQ(id.tag(), tag);
        EXPECT_EQ(id.lane(), lane);
        EXPECT_EQ(id.counter(), counter);
      }
    }
  }
}

TEST(JobIds, AreVersion7Uuids) {
  const std::string text = JobId::make(0x017F22E279B0, 0x12345678, 1, 42).to_string();
  ASSERT_EQ(text.size(), 36u);
  EXPECT_EQ(text.substr(0, 13), "017f22e2-79b0");
  EXPECT_EQ(text[14], '7');
  EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos);
}

TEST(JobIds, TextRoundTripsInEitherCase) {
  const JobId id = JobId::make(1'700'000'000'000, 0xCAFEBABE, 2, 123'456'789);
  std::string text = id.to_string();
  EXPECT_EQ(JobId::parse(text), id);
  for (char& c : text) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(JobId::parse(text), id);
}

TEST(JobIds, TextThatIsNoneIsRefused) {
  const std::string good = JobId::make(1'700'000'000'000, 1, 0, 1).to_string();
  for (size_t length = 0; length < good.size(); ++length)
    EXPECT_FALSE(JobId::parse(good.substr(0, length))) << length;
  EXPECT_FALSE(JobId::parse(good + "0"));
  for (size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = good[at] == '-' ? '0' : 'g';
    EXPECT_FALSE(JobId::parse(bad)) << at;
  }
  std::string version_4 = good;
  version_4[14] = '4';
  EXPECT_FALSE(JobId::parse(version_4));
  std::string variant = good;
  variant[19] = 'c';
  EXPECT_FALSE(JobId::parse(variant));
}

TEST(JobIds, OfOneLaneSortByTimeThenCounter) {
  const JobId early = JobId::make(100, 9, 1, 7);
  EXPECT_LT(early, JobId::make(100, 9, 1, 8));
  EXPECT_LT(JobId::make(100, 9, 1, 8), JobId::make(101, 9, 1, 1));
}

TEST(JobIds, NeighboursHashApart) {
  std::set<size_t> hashes;
  for (uint64_t counter = 1; counter <= 10'000; ++counter)
    hashes.insert(JobIdHash{}(JobId::make(5, 5, 1, counter)) >> 48);
  EXPECT_GT(hashes.size(), 5'000u) << "the upper bits choose the place in the table";
}

}  // namespace
}  // namespace pqd

#include "core/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace pqd {
namespace {

uint64_t off_by(uint64_t a, uint64_t b) { return a > b ? a - b : b - a; }

TEST(Histogram, BucketsMiddleIsAtMostASixteenthAwayFromAnyValueInIt) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 200'000; ++i) {
    const uint64_t value = random() >> (random() % 64);
    const uint16_t bucket = Histogram::bucket_of(value);
    ASSERT_LT(bucket, Histogram::kBuckets);
    ASSERT_LE(off_by(Histogram::middle_of(bucket), value), value / 16) << value;
  }
  EXPECT_LE(off_by(Histogram::middle_of(Histogram::bucket_of(UINT64_MAX)), UINT64_MAX), UINT64_MAX / 16);
}

TEST(Histogram, BucketsFollowEachOtherWithoutAGap) {
  uint16_t last = 0;
  for (uint64_t value = 1; value < 100'000; ++value) {
    const uint16_t bucket = Histogram::bucket_of(value);
    ASSERT_TRUE(bucket == last || bucket == last + 1) << value;
    last = bucket;
  }
  EXPECT_EQ(Histogram::bucket_of(UINT64_MAX), Histogram::kBuckets - 1);
}

TEST(Histogram, PercentilesAreWithinASixteenthOfTheSortedValues) {
  std::mt19937_64 random(11);
  for (const size_t count : {1u, 2u, 3u, 99u, 100u, 101u, 5'000u}) {
    Histogram histogram;
    std::vector<uint64_t> values;
    for (size_t i = 0; i < count; ++i) {
      values.push_back(random() >> (20 + random() % 30));
      histogram.add(values.back());
    }
    std::ranges::sort(values);
    for (unsigned percent = 1; percent <= 100; ++percent) {
      const uint64_t exact = values[(count * percent + 99) / 100 - 1];
      EXPECT_LE(off_by(histogram.percentile(percent), exact), exact / 16) << percent << " of " << count;
    }
    EXPECT_EQ(histogram.max(), values.back());
    EXPECT_EQ(histogram.count(), count);
    EXPECT_LE(histogram.percentile(99), histogram.max());
  }
}

TEST(Histogram, WithoutValuesIsZeroThroughout) {
  const Histogram histogram;
  EXPECT_EQ(histogram.percentile(50), 0u);
  EXPECT_EQ(histogram.average_ns(), 0);
  EXPECT_EQ(histogram.max(), 0u);
}

TEST(Histogram, AverageIsThatOfTheValuesToTheMicrosecond) {
  Histogram histogram;
  for (const uint64_t value : {1'000'000u, 2'000'000u, 6'000'400u}) histogram.add(value);
  EXPECT_DOUBLE_EQ(histogram.average_ns(), 3'000'000);
}

TEST(Histogram, SumIsThatOfAllValuesWhateverTheOrder) {
  std::mt19937_64 random(13);
  Histogram all;
  std::vector<Histogram> parts(5);
  for (int i = 0; i < 2'000; ++i) {
    const uint64_t value = random() >> (random() % 50);
    all.add(value);
    parts[random() % parts.size()].add(value);
  }
  Histogram forwards;
  Histogram backwards;
  for (size_t i = 0; i < parts.size(); ++i) {
    forwards.merge(parts[i]);
    backwards.merge(parts[parts.size() - 1 - i]);
  }
  EXPECT_TRUE(forwards == all);
  EXPECT_TRUE(backwards == all);
}

TEST(Histogram, ComesBackFromItsBytesAndFromNoOthers) {
  std::mt19937_64 random(17);
  Histogram histogram;
  for (int i = 0; i < 500; ++i) histogram.add(random() >> (random() % 64));
  Bytes bytes;
  histogram.encode(bytes);
  Histogram back;
  ASSERT_TRUE(back.decode(bytes));
  EXPECT_TRUE(back == histogram);
  for (const int fault : {0, 1, 2, 3}) {
    Bytes bad;
    ByteWriter writer(bad);
    writer.varint(1), writer.varint(1), writer.varint(5), writer.varint(fault == 0 ? 0 : 1);
    if (fault == 1) writer.varint(0), writer.varint(1);                    // the same bucket again
    if (fault == 2) writer.varint(Histogram::kBuckets), writer.varint(1);  // beyond the last
    if (fault == 3) writer.varint(1);                                      // cut short
    EXPECT_FALSE(back.decode(bad)) << fault;
  }
}

}  // namespace
}  // namespace pqd

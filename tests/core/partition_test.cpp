#include "core/partition.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "core/job_id.h"

namespace pqd {
namespace {

// Stores depend on these: a queue whose partition changed would lose its jobs.
TEST(Partition, OfAQueueIsWhatItAlwaysWas) {
  struct Known {
    const char* queue;
    int of_2, of_3, of_8, of_64;
  };
  // By the vectors of RFC 9923, mixed: "a", AF63DC4C8601EC8C, becomes 82A2A958A9BECE5B, "foobar",
  // 85944171F73967E8, becomes 2C22194922D1672B.
  for (const Known& known :
       {Known{"a", 1, 2, 3, 27}, Known{"foobar", 1, 1, 3, 43}, Known{"default", 1, 1, 5, 45},
        Known{"billing", 1, 1, 3, 3}, Known{"mail.urgent", 0, 0, 4, 36}, Known{"orders:eu-1", 1, 1, 1, 57},
        Known{"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 1, 1, 5, 61}}) {
    EXPECT_EQ(partition_of(known.queue, 1), 0) << known.queue;
    EXPECT_EQ(partition_of(known.queue, 2), known.of_2) << known.queue;
    EXPECT_EQ(partition_of(known.queue, 3), known.of_3) << known.queue;
    EXPECT_EQ(partition_of(known.queue, 8), known.of_8) << known.queue;
    EXPECT_EQ(partition_of(known.queue, 64), known.of_64) << known.queue;
  }
}

TEST(Partition, OfAQueueWithoutANameIsThatOfTheDefaultQueue) {
  for (uint32_t count = 1; count <= limits::kPartitionsMax; ++count)
    EXPECT_EQ(partition_of("", count), partition_of("default", count)) << count;
}

TEST(Partition, OfQueuesAreAllUsedAlike) {
  for (const uint32_t count : {2u, 3u, 8u, 64u}) {
    std::vector<int> queues(count);
    for (int i = 0; i < 6'400; ++i) ++queues.at(partition_of("tenant-" + std::to_string(i), count));
    for (const int found : queues) {
      EXPECT_GT(found, 6'400 / static_cast<int>(count) / 2) << count;
      EXPECT_LT(found, 6'400 / static_cast<int>(count) * 2) << count;
    }
  }
}

// Every second character left out, as in q0, q2, q4: where the lowest bits of a hash are those of the
// characters, half of the partitions stay empty.
TEST(Partition, OfQueuesWhoseCharactersAreAllEvenOrAllOddAreAllUsedAlike) {
  const std::string all = "-.0123456789:ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
  for (const int parity : {0, 1}) {
    std::string some = all;
    std::erase_if(some, [parity](char c) { return c % 2 != parity; });
    for (uint32_t count = 2; count <= limits::kPartitionsMax; count *= 2) {
      std::vector<size_t> queues(count);
      for (const char first : some)
        for (const char second : some)
          ++queues.at(partition_of(std::string("tenant-") + first + second, count));
      const size_t share = some.size() * some.size() / count;
      for (const size_t found : queues) {
        EXPECT_GT(found, share / 3) << count;
        EXPECT_LT(found, share * 2) << count;
      }
    }
  }
}

TEST(Partition, OfASessionIsInItsTagAndSoInTheIdsOfItsJobs) {
  std::set<uint32_t> tags;
  for (const uint64_t session : {1u, 2u, 1'000u, 67'108'863u}) {
    for (const PartitionNo partition : {PartitionNo{0}, PartitionNo{1}, PartitionNo{41}, PartitionNo{63}}) {
      const uint32_t tag = make_tag(session, partition, 64);
      EXPECT_TRUE(tags.insert(tag).second) << session;
      EXPECT_GT(tag, limits::kPartitionsMax - 1) << "a schedule's";
      EXPECT_EQ(partition_of_tag(JobId::make(1, tag, 3, 5).tag(), 64), partition);
    }
  }
  EXPECT_EQ(make_tag(7, 1, 2), 7u * 64 + 1);
}

TEST(Partition, OfSchedulesIsInTheTagToo) {
  for (PartitionNo partition = 0; partition < 5; ++partition) {
    EXPECT_EQ(make_tag(0, partition, 5), partition);
    EXPECT_EQ(partition_of_tag(make_tag(0, partition, 5), 5), partition);
  }
  EXPECT_EQ(make_tag(0, 0, 5), JobId::kScheduleTag);
}

TEST(Partition, IsTheFirstForEveryTagWhereThereIsOneOnly) {
  for (const uint32_t tag : {0u, 1u, 63u, 0xFFFFFFFFu}) {
    EXPECT_EQ(make_tag(tag, 0, 1), tag);
    EXPECT_EQ(partition_of_tag(tag, 1), 0);
  }
}

}  // namespace
}  // namespace pqd

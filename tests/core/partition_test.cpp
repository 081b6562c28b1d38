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
  // By the vectors of RFC 9923: "a" is AF63DC4C8601EC8C, "foobar" is 85944171F73967E8.
  for (const Known& known :
       {Known{"a", 0, 1, 4, 12}, Known{"foobar", 0, 0, 0, 40}, Known{"default", 0, 0, 6, 62},
        Known{"billing", 0, 1, 4, 28}, Known{"mail.urgent", 1, 2, 5, 53}, Known{"orders:eu-1", 0, 2, 2, 34},
        Known{"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 1, 0, 5, 37}}) {
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

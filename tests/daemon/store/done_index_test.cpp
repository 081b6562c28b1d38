// The index of finished jobs against a look at every row, and how many rows a list sees.
#include "daemon/store/done_index.h"

#include <algorithm>
#include <map>
#include <random>

#include "core/job_row.h"
#include "daemon/store/done_cursor.h"
#include "daemon/store/rocksdb_bytes.h"
#include "tests/daemon/store/fixtures.h"

namespace pqd {
namespace {

constexpr uint8_t bit(JobState state) { return static_cast<uint8_t>(1u << static_cast<unsigned>(state)); }

struct DoneIndexTest : ::testing::Test {
  test::TempDir directory;
  std::unique_ptr<Store> store = test::open_store(directory.path());
  std::map<JobId, JobCore> model;
  CheckpointBatch batch;
  uint64_t counter = 0;

  JobId add(uint64_t ms, QueueNo queue, TypeNo type, uint32_t owner_uid, JobState state) {
    JobRow row;
    row.core.id = JobId::make(ms, 7, 1, ++counter);
    row.core.queue = queue;
    row.core.type = type;
    row.core.owner_uid = owner_uid;
    row.core.state = state;
    model[row.core.id] = row.core;
    batch.done_puts.emplace_back(row.core.id, encode_row(row));
    return row.core.id;
  }
  void write() {
    std::ranges::sort(batch.done_puts, {}, &std::pair<JobId, Bytes>::first);
    ASSERT_TRUE(store->checkpoint(std::exchange(batch, {})));
  }

  struct Listed {
    std::vector<JobId> ids;
    size_t rows = 0;
    size_t steps = 0;
    size_t groups = 0;
  };
  Listed list(const JobFilter& filter, size_t rows_max = 1'000) {
    Listed listed;
    DoneCursor cursor(*store, filter);
    while (!cursor.finished() && listed.ids.size() < filter.limit) {
      size_t rows = rows_max;
      EXPECT_TRUE(cursor.step(filter.limit - listed.ids.size(), rows, listed.ids));
      EXPECT_LE(rows, rows_max);
      listed.rows += rows_max - rows;
      ++listed.steps;
    }
    listed.groups = cursor.group_count();
    return listed;
  }
  std::vector<JobId> naively(const JobFilter& filter) {
    std::vector<JobId> ids;
    for (auto at = model.rbegin(); at != model.rend() && ids.size() < filter.limit; ++at)
      if (filter.matches(at->second)) ids.push_back(at->first);
    return ids;
  }
};

TEST_F(DoneIndexTest, FindsWhatALookAtEveryRowFinds) {
  std::mt19937 random(42);
  const auto below = [&random](uint32_t bound) { return static_cast<uint32_t>(random() % bound); };
  for (int i = 0; i < 3'000; ++i) {
    add(1'000 + below(500), below(4), below(6), below(5) == 0 ? UINT32_MAX : 1000 + below(3),
        static_cast<JobState>(3 + below(4)));
  }
  write();
  for (int i = 0; i < 300; ++i) {
    JobFilter filter;
    if (below(2) == 0) filter.queue = below(5);
    if (below(2) == 0) filter.type = below(7);
    if (below(3) == 0) filter.owner_uid = 1000 + below(4);
    if (below(6) == 0) filter.owner_uid = UINT32_MAX;
    if (below(2) == 0) filter.states = static_cast<uint8_t>(below(128));
    if (below(3) == 0) filter.since_ms = 1'000 + below(500);
    if (below(3) == 0) filter.until_ms = 1'000 + below(500);
    if (below(3) == 0) filter.older_than = std::next(model.begin(), below(3'000))->first;
    filter.limit = 1 + below(200);
    ASSERT_EQ(list(filter, 1 + below(200)).ids, naively(filter)) << "filter " << i;
  }
}

TEST_F(DoneIndexTest, SelectiveFilterSeesTheRowsThatItShowsAndNoOthers) {
  // 10 queues, 10 types and 10 users of it, and five jobs of a rare one.
  for (uint32_t i = 0; i < 100'000; ++i) {
    const bool rare = i % 20'000 == 7;
    add(1'000 + i / 10, rare ? 77 : i % 10, rare ? 78 : i / 10 % 10, rare ? 79 : 1000 + i / 100 % 10,
        i % 50 == 3 ? JobState::kFailed : JobState::kCompleted);
    if (batch.done_puts.size() == 5'000) write();
  }
  write();
  for (const JobFilter& filter :
       {JobFilter{.queue = 77}, JobFilter{.type = 78}, JobFilter{.owner_uid = 79},
        JobFilter{.queue = 77, .type = 78}, JobFilter{.type = 78, .owner_uid = 79}}) {
    const Listed listed = list(filter);
    EXPECT_EQ(listed.ids, naively(filter));
    EXPECT_EQ(listed.ids.size(), 5u);
    EXPECT_LE(listed.rows, 300u);  // a leap over each queue and type; of 100'000
  }
  for (const JobFilter& filter : {JobFilter{.queue = 3}, JobFilter{.states = bit(JobState::kFailed)},
                                  JobFilter{.queue = 3, .type = 4, .states = bit(JobState::kFailed)},
                                  JobFilter{.owner_uid = 1003, .limit = 1'000}}) {
    const Listed listed = list(filter);
    EXPECT_EQ(listed.ids, naively(filter));
    EXPECT_LE(listed.rows, 2 * listed.ids.size() + 4 * listed.groups + 100);
  }
  // A span of time is a seek: nothing before or after it is looked at.
  const Listed span = list({.queue = 3, .since_ms = 5'000, .until_ms = 5'002});
  EXPECT_EQ(span.ids.size(), 2u);
  EXPECT_LE(span.rows, 2 + 4 * 200u);
}

TEST_F(DoneIndexTest, StepSeesNoMoreRowsThanItMay) {
  for (uint32_t i = 0; i < 2'000; ++i) add(1'000 + i, 0, i, 1000, JobState::kCompleted);
  write();
  const Listed listed = list({.queue = 0}, 100);
  EXPECT_EQ(listed.ids.size(), 50u);
  EXPECT_EQ(listed.groups, 2'000u);
  EXPECT_GE(listed.steps, 2'000 * 2 / 100);
}

TEST_F(DoneIndexTest, LosesWhatIsRedrivenAndGetsItBackWhereItEnds) {
  const JobId failed = add(1'000, 1, 2, 1000, JobState::kFailed);
  const JobId other = add(1'001, 1, 2, 1000, JobState::kFailed);
  write();
  batch.done_deletes = {failed};
  write();
  EXPECT_EQ(list({.states = bit(JobState::kFailed)}).ids, (std::vector<JobId>{other}));
  // Redriven and completed between two checkpoints.
  JobRow again;
  again.core = model[other];
  again.core.state = JobState::kCompleted;
  batch.done_deletes = {other};
  batch.done_puts.emplace_back(other, encode_row(again));
  write();
  EXPECT_TRUE(list({.states = bit(JobState::kFailed)}).ids.empty());
  EXPECT_EQ(list({.queue = 1}).ids, (std::vector<JobId>{other}));
}

TEST_F(DoneIndexTest, StoreFromBeforeTheIndexGetsOneWhenItIsOpened) {
  for (uint32_t i = 0; i < 1'000; ++i) add(1'000 + i, i % 3, 0, 1000, JobState::kCompleted);
  write();
  store.reset();
  {
    // As it was: no such family, no mark.
    std::vector<std::string> names;
    const std::string path = directory.path() + "/db";
    ASSERT_TRUE(rocksdb::DB::ListColumnFamilies(rocksdb::DBOptions(), path, &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : names) families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* db = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(rocksdb::DBOptions(), path, families, &handles, &db).ok());
    for (auto* handle : handles) {
      if (handle->GetName() == "done_index") {
        ASSERT_TRUE(db->DropColumnFamily(handle).ok());
      }
      if (handle->GetName() == "meta") {
        ASSERT_TRUE(db->Delete({}, handle, "done_index").ok());
      }
    }
    for (auto* handle : handles) db->DestroyColumnFamilyHandle(handle);
    delete db;
  }
  store = test::open_store(directory.path());
  ASSERT_TRUE(store);
  const JobFilter filter{.queue = 2, .limit = 1'000};
  EXPECT_EQ(list(filter).ids, naively(filter));
}

}  // namespace
}  // namespace pqd

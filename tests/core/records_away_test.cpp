// Records that memory lets go of because the store has them, and what still needs them.
#include "tests/core/driver.h"

namespace pqd::test {
namespace {

// The rows of a checkpoint, as far as records go.
class Records final : public RecordSource {
 public:
  // With the one that was born next.
  RecordsRead find_records(JobNo job, const JobId& /*id*/) override {
    ++asked;
    RecordsRead read;
    read.add(job, records.at(job));
    if (const auto next = records.upper_bound(job); next != records.end())
      read.add(next->first, next->second);
    return read;
  }
  std::map<JobNo, Bytes> records;
  size_t asked = 0;
};

class RecordsAway : public testing::Test {
 protected:
  RecordsAway() {
    d.state.set_record_source(store);
    d.state.record_bytes_max = 0;
  }
  // A checkpoint covers all commits so far, and memory hears of it.
  void checkpoint() {
    take_records();
    d.checkpoint();
  }
  void take_records() {
    d.state.jobs.for_each([this](Slot slot) {
      if (!is_memory(d.state.jobs[slot].no) && !d.state.record_is_away(slot))
        store.records[d.state.jobs[slot].no] = row_of(d.state, slot).record;
    });
  }
  Slot slot_of(const JobId& id) const { return d.state.jobs.find(id); }

  Records store;
  Driver d;
};

TEST_F(RecordsAway, LeaveNoBytesBehindOnceACheckpointHasThem) {
  const SessionNo producer = d.open();
  const JobId job = d.submit(producer, {.payload = std::string(10'000, 'x')});
  EXPECT_FALSE(d.state.record_is_away(slot_of(job)));
  EXPECT_TRUE(d.state.wants_checkpoint());
  checkpoint();
  EXPECT_TRUE(d.state.record_is_away(slot_of(job)));
  EXPECT_EQ(d.state.blocks.bytes_in_use(), 0u);
  EXPECT_FALSE(d.state.wants_checkpoint());
}

TEST_F(RecordsAway, StayWithinWhatMemoryMayHave) {
  const SessionNo producer = d.open();
  const JobId first = d.submit(producer, {.payload = std::string(1'000, 'a')});
  const JobId second = d.submit(producer, {.payload = std::string(1'000, 'b')});
  d.state.record_bytes_max = 1'500;
  checkpoint();
  EXPECT_FALSE(d.state.record_is_away(slot_of(first))) << "it is wanted before the other";
  EXPECT_TRUE(d.state.record_is_away(slot_of(second)));
}

TEST_F(RecordsAway, AreNotOfCommitsThatNoCheckpointCovers) {
  const SessionNo producer = d.open();
  d.submit(producer);
  const uint64_t covered = d.commits.size();
  const JobId later = d.submit(producer);
  take_records();
  d.state.retire(covered);
  EXPECT_FALSE(d.state.record_is_away(slot_of(later)));
}

TEST_F(RecordsAway, AreNotOfJobsThatNoStoreHas) {
  const SessionNo producer = d.open();
  std::vector<JobId> jobs;
  for (int i = 0; i < 6; ++i)  // more than one block takes
    jobs.push_back(
        d.submit(producer, {.payload = std::string(100'000, 'm'), .durability = Durability::kMemory}));
  EXPECT_FALSE(d.state.wants_checkpoint()) << "none could let go of them";
  checkpoint();
  for (const JobId& job : jobs) EXPECT_FALSE(d.state.record_is_away(slot_of(job)));
}

// However long the next checkpoint takes.
TEST_F(RecordsAway, DoNotGatherInMemoryWhileTheyAreDelivered) {
  constexpr uint32_t kJobs = 40;
  const SessionNo producer = d.open();
  for (uint32_t i = 0; i < kJobs; ++i) {
    d.submit(producer, {.payload = std::string(200'000, static_cast<char>('a' + i % 26))});
    checkpoint();
  }
  const SessionNo consumer = d.open();
  ASSERT_EQ(d.subscribe(consumer, 1), Error::kOk);
  for (uint32_t i = 0; i < kJobs; ++i) {
    const auto jobs = d.take(consumer);
    ASSERT_EQ(jobs.size(), 1u);
    EXPECT_EQ(jobs[0].payload, std::string(200'000, static_cast<char>('a' + i % 26)));
    ASSERT_EQ(d.complete(consumer, jobs[0]), Error::kOk);
    EXPECT_LE(d.state.blocks.bytes_in_use(), 5u << 20) << i;
  }
}

TEST_F(RecordsAway, AreReadForADeliveryAndStayUntilItIsPublished) {
  const SessionNo producer = d.open();
  d.submit(producer, {.payload = "the first"});
  d.submit(producer, {.payload = "the second"});
  checkpoint();
  EXPECT_EQ(store.asked, 0u);
  const SessionNo consumer = d.open();
  ASSERT_EQ(d.subscribe(consumer, 2), Error::kOk);
  const auto jobs = d.take(consumer);
  ASSERT_EQ(jobs.size(), 2u);
  EXPECT_EQ(jobs[0].payload, "the first");
  EXPECT_EQ(jobs[1].payload, "the second");
  EXPECT_EQ(store.asked, 1u) << "both were read together";
}

TEST_F(RecordsAway, ThatAreReadWithOthersGoAgainBeforeTheyAreWanted) {
  const SessionNo producer = d.open();
  d.submit(producer, {.payload = "the first"});
  const JobId second = d.submit(producer, {.payload = "the second"});
  checkpoint();
  const SessionNo consumer = d.open();
  ASSERT_EQ(d.subscribe(consumer, 1), Error::kOk);
  const auto first = d.take(consumer);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_FALSE(d.state.record_is_away(slot_of(second)));
  checkpoint();
  EXPECT_TRUE(d.state.record_is_away(slot_of(second)));
  ASSERT_EQ(d.complete(consumer, first[0]), Error::kOk);
  checkpoint();
  const auto then = d.take(consumer);
  ASSERT_EQ(then.size(), 1u);
  EXPECT_EQ(then[0].payload, "the second");
}

TEST_F(RecordsAway, AreReadAgainForEachAttempt) {
  const SessionNo producer = d.open();
  d.submit(producer, {.payload = "once more", .backoff_first_ms = 100});
  const SessionNo consumer = d.open();
  ASSERT_EQ(d.subscribe(consumer), Error::kOk);
  const auto first = d.take(consumer);
  ASSERT_EQ(first.size(), 1u);
  checkpoint();
  ASSERT_EQ(d.fail(consumer, first[0]), Error::kOk);
  checkpoint();
  d.advance_ms(1'000);
  const auto second = d.take(consumer);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].payload, "once more");
}

TEST_F(RecordsAway, StillKeepTheOrderOfTheirKeys) {
  const SessionNo producer = d.open();
  for (const char* payload : {"1", "2", "3"})
    d.submit(producer, {.payload = payload, .ordering_key = "customer"});
  checkpoint();
  const SessionNo consumer = d.open();
  ASSERT_EQ(d.subscribe(consumer, 3), Error::kOk);
  for (const char* payload : {"1", "2", "3"}) {
    const auto jobs = d.take(consumer);
    ASSERT_EQ(jobs.size(), 1u) << "one of a key at a time";
    EXPECT_EQ(jobs[0].payload, payload);
    checkpoint();
    ASSERT_EQ(d.complete(consumer, jobs[0]), Error::kOk);
  }
}

TEST_F(RecordsAway, AreForWhoAsksAboutTheJobToRead) {
  const SessionNo producer = d.open();
  const JobId job = d.submit(producer, {.payload = "here"});
  EXPECT_FALSE(row_in_memory(d.state, slot_of(job)).record.empty());
  const Bytes whole = row_of(d.state, slot_of(job)).record;
  checkpoint();
  EXPECT_TRUE(row_in_memory(d.state, slot_of(job)).record.empty());
  EXPECT_TRUE(list_row_of(d.state, slot_of(job)).record.empty());
  EXPECT_EQ(store.asked, 0u);
  EXPECT_EQ(row_of(d.state, slot_of(job)).record, whole);
}

}  // namespace
}  // namespace pqd::test

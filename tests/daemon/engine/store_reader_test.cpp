#include "daemon/engine/store_reader.h"

#include <semaphore>

#include "core/submit_record.h"
#include "tests/daemon/engine/fixtures.h"

namespace pqd::test {
namespace {

JobRow row(uint64_t counter, JobState state) {
  JobRow made;
  made.core.id = JobId::make(1'700'000'000'000 + counter, 1, 0, counter);
  made.core.no = counter;
  made.core.state = state;
  return made;
}

class StoreReaderTest : public ::testing::Test {
 protected:
  StoreReaderTest() : store(Store::open({.directory = directory.path()}).value()) {
    CheckpointBatch batch;
    for (uint64_t i = 1; i <= 6; ++i) {
      const JobRow made = row(i, i % 3 == 0 ? JobState::kFailed : JobState::kCompleted);
      batch.done_puts.emplace_back(made.core.id, encode_row(made));
      if (made.core.state == JobState::kFailed)
        batch.dead_letter_puts.emplace_back(made.core.no, made.core.id);
    }
    EXPECT_TRUE(store->checkpoint(batch).has_value());
  }

  std::vector<uint64_t> ask(StoreQuestion question) {
    std::binary_semaphore news{0};
    StoreReader reader(*store, [&] { news.release(); });
    reader.ask(std::move(question));
    EXPECT_TRUE(news.try_acquire_for(std::chrono::seconds(60)));
    std::vector<uint64_t> counters;
    for (const StoreQuestion& answered : reader.take_answered()) {
      rows_looked = answered.rows_looked;
      rows = answered.rows;
      for (const JobRow& found : rows) counters.push_back(found.core.id.counter());
    }
    return counters;
  }

  TempDir directory;
  std::unique_ptr<Store> store;
  size_t rows_looked = 0;    // for the last answer
  std::vector<JobRow> rows;  // of it
};

TEST_F(StoreReaderTest, FindsAFinishedJobAndNoOther) {
  StoreQuestion question;
  question.id = row(4, JobState::kCompleted).core.id;
  EXPECT_EQ(ask(question), (std::vector<uint64_t>{4}));
  question.id = row(9, JobState::kCompleted).core.id;
  EXPECT_TRUE(ask(question).empty());
}

TEST_F(StoreReaderTest, MergesMemoryWithTheStoreNewestFirst) {
  StoreQuestion question;
  question.kind = QueryKind::kJobs;
  question.filter.limit = 4;
  question.rows = {row(8, JobState::kPending), row(5, JobState::kProcessing)};
  for (JobRow& known : question.rows) known.record = Bytes(8);
  EXPECT_EQ(ask(question), (std::vector<uint64_t>{8, 6, 5, 4}));
}

TEST_F(StoreReaderTest, ForgetsTheQuestionsOfASessionThatHasGoneAlsoTheOneInHand) {
  std::binary_semaphore news{0};
  std::binary_semaphore go_on{0};
  StoreReader reader(*store, [&] {
    news.release();
    go_on.acquire();
  });
  const auto question = [](SessionNo session) {
    StoreQuestion asked;
    asked.asker.session = session;
    return asked;
  };
  for (const SessionNo session : {7u, 7u, 8u}) reader.ask(question(session));
  ASSERT_TRUE(news.try_acquire_for(std::chrono::seconds(60)));
  reader.forget(7);
  go_on.release();
  ASSERT_TRUE(news.try_acquire_for(std::chrono::seconds(60)));
  const std::vector<StoreQuestion> answered = reader.take_answered();
  go_on.release();
  ASSERT_EQ(answered.size(), 1u);
  EXPECT_EQ(answered[0].asker.session, 8u);
}

// Memory had let go of its record when it was asked.
TEST_F(StoreReaderTest, PutsTheRecordIntoARowThatMemoryHasWithoutIt) {
  SubmitView submit;
  submit.queue = "default";
  submit.type = "work";
  submit.payload = as_bytes("payload");
  JobRow live = row(8, JobState::kPending);
  live.record.resize(submit_record_bytes(submit));
  write_submit_record(submit, live.record);
  CheckpointBatch batch;
  batch.live_puts.emplace_back(8, encode_row(live));
  ASSERT_TRUE(store->checkpoint(batch));
  StoreQuestion question;
  question.kind = QueryKind::kJob;
  question.id = live.core.id;
  question.rows = {row(8, JobState::kPending)};
  ASSERT_EQ(ask(question), (std::vector<uint64_t>{8}));
  EXPECT_EQ(rows[0].record, live.record);
}

TEST_F(StoreReaderTest, GoesOnBelowTheLastOneOfThePageBefore) {
  StoreQuestion question;
  question.kind = QueryKind::kJobs;
  question.filter.older_than = row(4, JobState::kCompleted).core.id;
  EXPECT_EQ(ask(question), (std::vector<uint64_t>{3, 2, 1}));
}

TEST_F(StoreReaderTest, ListsDeadLettersAlone) {
  StoreQuestion question;
  question.kind = QueryKind::kDlq;
  EXPECT_EQ(ask(question), (std::vector<uint64_t>{6, 3}));
}

// What memory has forgotten meanwhile may have been found as it was before.
TEST_F(StoreReaderTest, TakesOutWhatIsNotAsItWasFoundWhenItReadsAgain) {
  StoreQuestion question;
  question.kind = QueryKind::kDlq;
  question.filter.keep_dead_letters();
  question.read_again = true;
  JobRow later_life = row(5, JobState::kFailed);
  later_life.core.no = 50;
  JobRow earlier_life = row(6, JobState::kFailed);
  earlier_life.core.no = 2;
  // In the store: completed; a dead letter; one of memory alone; an earlier life; a later one.
  question.rows = {row(4, JobState::kFailed), row(3, JobState::kFailed), row(9, JobState::kFailed),
                   later_life, earlier_life};
  EXPECT_EQ(ask(question), (std::vector<uint64_t>{3, 9, 5}));
  question.kind = QueryKind::kJobs;
  EXPECT_EQ(ask(question), (std::vector<uint64_t>{3, 9, 5, 6})) << "it has failed in this life, too";
}

TEST_F(StoreReaderTest, SelectiveListOverManyRowsLooksAtFew) {
  for (uint64_t i = 100; i < 100'100;) {
    CheckpointBatch batch;
    for (const uint64_t end = i + 5'000; i < end; ++i) {
      JobRow made = row(i, i % 10'000 == 0 ? JobState::kTimeout : JobState::kCompleted);
      made.core.type = i % 25'000 == 1 ? 9 : 1;
      batch.done_puts.emplace_back(made.core.id, encode_row(made));
    }
    ASSERT_TRUE(store->checkpoint(batch).has_value());
  }
  StoreQuestion rare;
  rare.kind = QueryKind::kJobs;
  rare.filter.type = 9;
  EXPECT_EQ(ask(rare), (std::vector<uint64_t>{100'001, 75'001, 50'001, 25'001}));
  EXPECT_LE(rows_looked, 50u);
  StoreQuestion dead;
  dead.kind = QueryKind::kDlq;
  dead.filter.limit = 3;
  EXPECT_EQ(ask(dead), (std::vector<uint64_t>{100'000, 90'000, 80'000}));
  EXPECT_LE(rows_looked, 50u);
  dead.filter.older_than = row(80'000, JobState::kTimeout).core.id;
  EXPECT_EQ(ask(dead), (std::vector<uint64_t>{70'000, 60'000, 50'000}));
  StoreQuestion page;
  page.kind = QueryKind::kJobs;
  page.filter.limit = 100;
  EXPECT_EQ(ask(page).size(), 100u);
  EXPECT_LE(rows_looked, 100u);
}

TEST_F(StoreReaderTest, ListsDeadLettersByTheNumberOfTheLifeThatFailed) {
  StoreQuestion question;
  question.kind = QueryKind::kDlq;
  question.filter.newer_than = 0;
  EXPECT_EQ(ask(question), (std::vector<uint64_t>{3, 6}));
  question.filter.newer_than = 3;
  EXPECT_EQ(ask(question), (std::vector<uint64_t>{6}));
  question.filter.newer_than = 4;
  question.rows = {row(5, JobState::kFailed)};
  EXPECT_EQ(ask(question), (std::vector<uint64_t>{5, 6})) << "memory has its place";
  question.filter.limit = 1;
  EXPECT_EQ(ask(question), (std::vector<uint64_t>{5}));
}

TEST_F(StoreReaderTest, AddsUpTheFiguresOfATimeOverManyLooks) {
  using enum MetricsResolution;
  constexpr TimeNs kDay = start_of(kHour, 1'700'000'000 * kSecondNs);
  MetricsRow one;
  one.counts.submitted = 1;
  for (TimeNs minute = 0; minute < 120; ++minute) {
    CheckpointBatch batch;
    for (TypeNo type = 0; type < 100; ++type)
      batch.metrics.emplace_back(MetricsKey{kMinute, kDay + minute * length_of(kMinute), type % 4, type},
                                 encode(one));
    ASSERT_TRUE(store->checkpoint(batch));
  }
  CheckpointBatch hours;
  hours.metrics.emplace_back(MetricsKey{kHour, kDay, 0, 0}, encode(one));
  ASSERT_TRUE(store->checkpoint(hours));
  const auto submitted = [this](MetricsSpan span, std::optional<QueueNo> queue, std::optional<TypeNo> type) {
    StoreQuestion question;
    question.kind = QueryKind::kMetrics;
    question.metrics = std::make_shared<MetricsLook>(MetricsSum(span, queue, type, kMetricsByType));
    const auto look = question.metrics;
    ask(std::move(question));
    return look->sum.parts(Tables(), 0, INT64_MAX).front().counts.submitted;
  };
  const MetricsSpan all{kMinute, kDay, kDay + 120 * length_of(kMinute)};
  EXPECT_EQ(submitted(all, {}, {}), 12'000u);
  EXPECT_LE(rows_looked, 12'000u);
  EXPECT_EQ(submitted(all, 3, {}), 3'000u);
  EXPECT_EQ(submitted(all, {}, 42), 120u);
  EXPECT_EQ(submitted(all, 1, 42), 0u);
  EXPECT_EQ(submitted({kMinute, kDay + length_of(kMinute), kDay + 3 * length_of(kMinute)}, {}, {}), 200u);
  EXPECT_LE(rows_looked, 200u) << "its own time's, and no other";
  EXPECT_EQ(submitted({kHour, kDay, kDay + length_of(kHour)}, {}, {}), 1u);
}

TEST(MergeRowsTest, BelievesMemoryBeforeTheStore) {
  std::vector<JobRow> rows{row(1, JobState::kProcessing), row(1, JobState::kCompleted)};
  merge_rows(rows, 10);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].core.state, JobState::kProcessing);
}

}  // namespace
}  // namespace pqd::test

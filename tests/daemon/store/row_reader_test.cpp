// The rows of live jobs on their way out of the store.
#include "daemon/store/row_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/daemon/store/empty_store_view.h"

namespace pqd {
namespace {

constexpr size_t kQueues = 2;

JobRow row_of(JobNo job) {
  JobRow row;
  row.core.no = job;
  row.core.queue = job % kQueues;
  row.record = Bytes(job % 97 == 0 ? RowBatch::kBytes * 2 : 50 + job % 1'000, std::byte(job));
  if (job % 10 == 0) row.note = "note " + std::to_string(job);
  if (job % 30 == 0) row.history.push_back({1, Reason::kConsumerDied, 7, 2, 3, "words"});
  return row;
}

// What is tested are two threads, without those of RocksDB.
class RowsAlone final : public test::EmptyStoreView {
 public:
  std::map<JobNo, Bytes> rows;

  StoreResult<void> for_each_live(const RowVisitor& f) const override {
    for (const auto& [job, row] : rows)
      if (!f(job, row)) break;
    return {};
  }
  uint64_t live_estimate() const override { return rows.size(); }
};

class RowReaderTest : public testing::Test {
 protected:
  void put_good(JobNo last) {
    for (JobNo job = 1; job <= last; ++job) store_.rows[job] = encode_row(row_of(job));
  }
  // Reads all there is; the error's text, "" without one.
  std::string read_to_the_end(size_t& rows) {
    RowReader reader(store_, kQueues);
    for (rows = 0; auto batch = reader.next();) rows += batch->rows.size();
    const auto result = reader.result();
    return result ? "" : result.error().text;
  }

  RowsAlone store_;
};

TEST_F(RowReaderTest, HandsOutEveryRowInTheOrderOfNumbersSomeHundredABatch) {
  put_good(1'000);
  RowReader reader(store_, kQueues);
  JobNo job = 0;
  size_t batches = 0;
  for (; auto batch = reader.next(); ++batches) {
    EXPECT_TRUE(batch->rows.size() == 1 || batch->records.size() <= RowBatch::kBytes);
    for (const RowBatch::Row& row : batch->rows) {
      const JobRow wanted = row_of(++job);
      ASSERT_EQ(row.core.no, job);
      EXPECT_EQ(row.core.queue, wanted.core.queue);
      const ByteView record = ByteView(batch->records).subspan(row.record.offset, row.record.bytes);
      EXPECT_TRUE(std::ranges::equal(record, wanted.record)) << "job " << job;
      ASSERT_EQ(row.extra != nullptr, job % 10 == 0) << "job " << job;
      if (!row.extra) continue;
      EXPECT_EQ(row.extra->note, wanted.note);
      EXPECT_EQ(row.extra->history, wanted.history);
    }
  }
  EXPECT_TRUE(reader.result());
  EXPECT_EQ(job, 1'000u);
  EXPECT_LT(batches, 50u);
}

TEST_F(RowReaderTest, HasNothingInAStoreWithoutLiveJobs) {
  size_t rows = 0;
  EXPECT_EQ(read_to_the_end(rows), "");
  EXPECT_EQ(rows, 0u);
}

TEST_F(RowReaderTest, RefusesARowThatIsDamagedUnderAnotherNumberOrOfAnUnknownQueue) {
  put_good(40);
  JobRow foreign = row_of(41);
  foreign.core.queue = kQueues;
  Bytes cut = encode_row(row_of(41));
  cut.pop_back();
  for (const Bytes& bad : {cut, Bytes(), encode_row(row_of(42)), encode_row(foreign)}) {
    store_.rows[41] = bad;
    size_t rows = 0;
    EXPECT_NE(read_to_the_end(rows).find("the row of a live job cannot be read"), std::string::npos);
    EXPECT_LE(rows, 40u);
  }
}

TEST_F(RowReaderTest, MayBeLeftInTheMiddleOfMoreThanItReadsAhead) {
  put_good(3'000);
  RowReader reader(store_, kQueues);
  const auto batch = reader.next();
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->rows.front().core.no, 1u);
}

}  // namespace
}  // namespace pqd

// What a store should have of live jobs, checkpoint by checkpoint, and whether it does.
#pragma once

#include <map>
#include <random>

#include "tests/daemon/store/fixtures.h"

namespace pqd::test {

class LiveRows {
 public:
  // As the checkpoint leaves them.
  void take(const CheckpointBatch& batch) {
    for (const Birth& birth : batch.births) rows_[birth.job] = birth.whole_row();
    for (const auto& [job, row] : batch.live_puts) rows_[job] = row;
    for (const JobNo job : batch.live_deletes) rows_.erase(job);
  }
  // A tenth of the jobs changes, another ends, and of those that came long before `next` most do.
  void change_some(std::mt19937& random, JobNo next, CheckpointBatch& batch) const {
    for (const auto& [job, row] : rows_) {
      const auto what = random() % 10;
      if (what == 0) batch.live_puts.emplace_back(job, bytes_of(random(), 40));
      if (what == 1 || (what < 8 && job + 300 < next)) batch.live_deletes.push_back(job);
    }
  }
  void end_all(CheckpointBatch& batch) const {
    for (const auto& [job, row] : rows_) batch.live_deletes.push_back(job);
  }
  void expect_in(const Store& store) const {
    std::map<JobNo, Bytes> there;
    JobNo last = 0;
    ASSERT_TRUE(store.for_each_live([&](JobNo job, ByteView row) {
      EXPECT_GT(job, last) << "out of order";
      last = job;
      there[job] = Bytes(row.begin(), row.end());
      return true;
    }));
    EXPECT_TRUE(there == rows_) << there.size() << " rows, " << rows_.size() << " wanted";
    for (const auto& [job, row] : rows_) ASSERT_TRUE(store.find_live(job).value() == row) << job;
  }

 private:
  std::map<JobNo, Bytes> rows_;
};

}  // namespace pqd::test

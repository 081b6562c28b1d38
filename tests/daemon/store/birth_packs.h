// Jobs that are born together, and a store with packs of their rows.
#pragma once

#include <algorithm>

#include "core/job_row.h"
#include "tests/daemon/store/damaged_store.h"
#include "tests/daemon/store/live_rows.h"

namespace pqd::test {

inline JobRow row_of(JobNo job) {
  JobRow row;
  row.core.no = job;
  row.core.id = JobId::make(1'700'000'000'000 + job, 3, 1, job);
  row.core.created_ns = row.core.ready_ns = static_cast<TimeNs>(1'700'000'000'000'000'000 + job * 977);
  row.core.payload_bytes = static_cast<uint32_t>(job);
  if (job % 7 == 0) row.note = "half way";
  return row;
}

inline Bytes record_of(JobNo job) { return bytes_of(job, 20 + job % 90); }

// Jobs of one commit, one record behind the other.
struct BornTogether {
  BornTogether(uint64_t commit, JobNo from, size_t count, size_t record_bytes = 0) {
    for (JobNo job = from; job < from + count; ++job) {
      const Bytes record = record_bytes != 0 ? bytes_of(job, record_bytes) : record_of(job);
      const BlobRef at{static_cast<uint32_t>((bytes.size() + 7) / 8 * 8),
                       static_cast<uint32_t>(record.size())};
      if (job > from && (job - from) % kBlockPieceRecords == 0) cuts.push_back(at.offset);
      bytes.resize(at.offset);
      bytes.insert(bytes.end(), record.begin(), record.end());
      births.push_back({job, encode_row(row_of(job)), commit, at, &bytes, {}});
    }
  }
  BornTogether(const BornTogether&) = delete;
  BornTogether& operator=(const BornTogether&) = delete;

  // Those of them that are `wanted`, into the batch with the block that they point into.
  template <class Wanted>
  void join(CheckpointBatch& batch, Wanted wanted) const {
    std::ranges::copy_if(births, std::back_inserter(batch.births), wanted);
    batch.blocks.push_back(block);
  }
  void join(CheckpointBatch& batch) const {
    join(batch, [](const Birth& /*each*/) { return true; });
  }

  const std::shared_ptr<Bytes> block = std::make_shared<Bytes>();
  Bytes& bytes = *block;
  std::vector<uint32_t> cuts;
  std::vector<Birth> births;
};

class BirthPacks : public DamagedStore {
 protected:
  void SetUp() override { store = open_store(path()); }

  void append(const BornTogether& born) {
    ASSERT_TRUE(store->append(store->last_commit() + 1, bytes_of(store->last_commit() + 1, 90), born.bytes,
                              born.cuts));
  }
  void put(CheckpointBatch batch) {
    batch.covered = store->last_commit();
    ASSERT_TRUE(store->checkpoint(batch));
    expected.take(batch);
  }
  // Appends a commit of so many jobs and has them in a checkpoint.
  void bear(JobNo from, size_t count, size_t record_bytes = 0) {
    const BornTogether born(store->last_commit() + 1, from, count, record_bytes);
    append(born);
    CheckpointBatch batch;
    born.join(batch);
    put(batch);
  }
  // Commits of four jobs each, all in one checkpoint.
  void bear_a_few_each(JobNo from, JobNo to) {
    CheckpointBatch batch;
    for (JobNo job = from; job <= to; job += 4) {
      const BornTogether born(store->last_commit() + 1, job, 4);
      append(born);
      born.join(batch);
    }
    put(batch);
  }
  void end(JobNo from, JobNo to) {
    CheckpointBatch batch;
    for (JobNo job = from; job <= to; ++job) batch.live_deletes.push_back(job);
    put(batch);
  }
  void reopen() {
    store.reset();
    store = open_store(path());
  }
  void expect_as_put() { expected.expect_in(*store); }
  size_t keys_in(const std::string& family) {
    store.reset();
    const size_t keys = Database(path()).count(family);
    store = open_store(path());
    return keys;
  }

  std::unique_ptr<Store> store;
  LiveRows expected;
};

}  // namespace pqd::test

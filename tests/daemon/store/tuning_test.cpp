// What tuning.cpp asks of RocksDB is in force: seen at its tables and at what it counts.
#include "daemon/store/tuning.h"

#include <filesystem>

#include "core/short_hash.h"
#include "tests/daemon/store/damaged_store.h"

namespace pqd::test {
namespace {

// A table ends with how its blocks are summed, two handles in a field of forty bytes, the format's version
// and a magic number: rocksdb, table/format.h, Footer.
constexpr size_t kFooterBytes = 1 + 40 + 4 + 8;

class Tuning : public DamagedStore {};

TEST_F(Tuning, HasTablesSummedByCrc32c) {
  settle();
  size_t tables = 0;
  for (const auto& entry : std::filesystem::directory_iterator(path() + "/db")) {
    if (entry.path().extension() != ".sst") continue;
    const std::string bytes = read_file(entry.path());
    ASSERT_GT(bytes.size(), kFooterBytes);
    EXPECT_EQ(bytes[bytes.size() - kFooterBytes], static_cast<char>(rocksdb::kCRC32c)) << entry.path();
    ++tables;
  }
  EXPECT_GT(tables, 3u);
}

TEST_F(Tuning, SearchesNoWriteBufferForAKeyThatIsNew) {
  const auto store = open_store(path());
  CheckpointBatch batch;
  batch.covered = store->last_commit();
  const ShortHash known = short_hash(bytes_of(1, 20));
  batch.keys = {{known, KeptKey{{}, {1, 1}, 1}}};
  ASSERT_TRUE(store->checkpoint(batch));
  rocksdb::SetPerfLevel(rocksdb::kEnableCount);
  rocksdb::PerfContext& counts = *rocksdb::get_perf_context();
  counts.Reset();
  EXPECT_TRUE(store->find_key(known).value());
  EXPECT_EQ(counts.bloom_memtable_miss_count, 0u);
  for (uint64_t i = 2; i < 102; ++i) EXPECT_FALSE(store->find_key(short_hash(bytes_of(i, 20))).value());
  rocksdb::SetPerfLevel(rocksdb::kDisable);
  EXPECT_GT(counts.bloom_memtable_miss_count, 90u);
}

}  // namespace
}  // namespace pqd::test

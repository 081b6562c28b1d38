#include "tests/bench/rocksdb_ceiling.h"

#include "daemon/store/rocksdb_include.h"
#include "tests/bench/own.h"
#include "tests/bench/sides.h"
#include "tests/support/temp_dir.h"

namespace pqd::bench {
namespace {

constexpr size_t kValueBytes = size_t{1} << 20;
constexpr size_t kMemtableBytes = size_t{64} << 20;

void write_values(Side& side, const std::string& directory, size_t record_bytes) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.info_log_level = rocksdb::InfoLogLevel::ERROR_LEVEL;
  options.compression = rocksdb::kNoCompression;
  options.write_buffer_size = kMemtableBytes;
  options.max_write_buffer_number = 4;
  rocksdb::DB* opened = nullptr;
  if (const auto status = rocksdb::DB::Open(options, directory, &opened); !status.ok())
    side.fail(status.ToString());
  const std::unique_ptr<rocksdb::DB> db(opened);
  rocksdb::WriteOptions synced;
  synced.sync = true;
  const Bytes value = random_payload(kValueBytes, 1);
  const rocksdb::Slice all(reinterpret_cast<const char*>(value.data()), value.size());
  uint64_t number = 0;
  side.start();
  while (!side.over()) {
    const uint64_t key = __builtin_bswap64(++number);
    const auto status = db->Put(synced, {reinterpret_cast<const char*>(&key), sizeof key}, all);
    if (!status.ok()) side.fail(status.ToString());
    side.did(kValueBytes / record_bytes);
  }
}

}  // namespace

Contender rocksdb_ceiling(const Plan& plan, size_t record_bytes) {
  Line ceiling{"RocksDB alone", "records of " + std::to_string(record_bytes) +
                                    " bytes packed into values of 1 MiB, one a write, each write synced"};
  ceiling.limit = true;
  const auto once = [=](Line& line) {
    const test::TempDir directory;
    Sides sides;
    sides.add("writer", [&](Side& side) { write_values(side, directory.path("db"), record_bytes); });
    if (sides.run(plan.seconds)) line.add("jobs/s", sides.rate_of("writer"));
    return sides.fault();
  };
  return {std::move(ceiling), once};
}

}  // namespace pqd::bench

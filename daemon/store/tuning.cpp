#include "daemon/store/tuning.h"

#include <sys/resource.h>

#include <algorithm>
#include <string>

#include "daemon/store/done_index.h"

namespace pqd {
namespace {

// However little is written, rows that are over go within this time.
constexpr uint64_t kSweptEverySeconds = 24 * 3600;

// Tables that are kept open, within the limit of open files. Of that the supervisor gives a fifth of the
// clients a session each at most, and a session takes two of the engine's; what is beside is for logs,
// directories, backups and this process.
int tables_open_max() {
  constexpr rlim_t kMost = 512;
  constexpr rlim_t kLeast = 20;  // RocksDB's own
  constexpr rlim_t kBeside = 96;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return kMost;
  const rlim_t for_sessions = limit.rlim_cur / 5 * 2;
  return static_cast<int>(std::clamp(
      limit.rlim_cur - for_sessions - std::min(limit.rlim_cur - for_sessions, kBeside), kLeast, kMost));
}

class NoLog final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

rocksdb::ColumnFamilyOptions family_options(std::string_view name,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  options.paranoid_file_checks = true;
  options.write_buffer_size = 32u << 20;
  options.compression = rocksdb::kLZ4Compression;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.checksum = rocksdb::kCRC32c;  // by the CPU's instructions, see rocksdb_crc32c.cpp
  if (name == "done" || name == "live" || name == "keys" || name == "metrics")
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  if (name == "keys") {
    // Most keys that are looked for are new. Sixteen bits for each of those that a write buffer holds.
    options.memtable_whole_key_filtering = true;
    options.memtable_prefix_bloom_size_ratio = 0.02;
  }
  // Keys that come in order are put next to the one before them, without a search: those of a group in the
  // index, all of them in the others.
  if (name == "done_index" || name == "index_packs")
    options.memtable_insert_with_hint_prefix_extractor.reset(
        rocksdb::NewFixedPrefixTransform(DoneGroup::kKeyBytes));
  if (name == "journal" || name == "blocks" || name == "live" || name == "done" || name == "packs" ||
      name == "packed_rows" || name == "done_packs" || name == "keys")
    options.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(1));
  if (name == "blocks" || name == "packed_rows") {
    // Written once and, as a rule, deleted before it leaves the write buffer.
    options.compression = rocksdb::kNoCompression;
    options.write_buffer_size = 64u << 20;
  }
  if (name == "meta" || name == "default" || name == "dead_letters" || name == "metrics" || name == "packs")
    options.write_buffer_size = 4u << 20;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

}  // namespace

rocksdb::DBOptions db_options(const std::shared_ptr<StoreEventListener>& listener, rocksdb::Env* env) {
  rocksdb::DBOptions options;
  if (env != nullptr) options.env = env;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.listeners = {listener};
  // Fail-stop: whatever goes wrong, nothing is tried again behind our back.
  options.max_bgerror_resume_count = 0;
  options.paranoid_checks = true;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  options.manual_wal_flush = false;
  options.atomic_flush = false;
  options.recycle_log_file_num = 0;
  options.wal_compression = rocksdb::kNoCompression;
  options.allow_mmap_reads = false;
  options.allow_mmap_writes = false;
  // What a start has to read again at most, a third to half a second of it; more buys no throughput.
  options.max_total_wal_size = 128ull << 20;
  options.max_background_jobs = 2;
  options.bytes_per_sync = 1 << 20;
  options.max_open_files = tables_open_max();
  // Debian builds RocksDB with DEBUG logging on.
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

rocksdb::DBOptions read_only_options(rocksdb::Env* env) {
  rocksdb::DBOptions options = db_options(nullptr, env);
  options.create_if_missing = false;
  options.create_missing_column_families = false;
  options.listeners.clear();
  // A log file of its own would push the owner's aside.
  options.info_log = std::make_shared<NoLog>();
  // A table that the owner has compacted away can be read as long as it is open.
  options.max_open_files = -1;
  return options;
}

std::string family_name(std::string_view kind, PartitionNo partition) {
  std::string name(kind);
  if (partition > 0) name.append(".").append(std::to_string(partition));
  return name;
}

std::vector<rocksdb::ColumnFamilyDescriptor> families(CheckpointClocks clocks, uint32_t buffer_divisor) {
  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(64u << 20);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  families.emplace_back("default", family_options("default", cache));
  for (size_t partition = 0; partition < clocks.size(); ++partition) {
    for (const std::string_view kind : kFamilyKinds) {
      auto options = family_options(kind, cache);
      if (kind == "keys") options.compaction_filter_factory = expired_keys(clocks[partition]);
      if (kind == "metrics") options.compaction_filter_factory = expired_metrics(clocks[partition]);
      if (options.compaction_filter_factory) options.periodic_compaction_seconds = kSweptEverySeconds;
      families.emplace_back(family_name(kind, static_cast<PartitionNo>(partition)), options);
    }
  }
  for (auto& [name, options] : families) options.write_buffer_size /= buffer_divisor;
  return families;
}

std::vector<rocksdb::ColumnFamilyDescriptor> families(uint32_t partitions) {
  const std::vector clocks(partitions, std::make_shared<CheckpointClock>(0));
  return families(CheckpointClocks(clocks));
}

std::vector<rocksdb::ColumnFamilyDescriptor> families_there(
    const std::string& database, rocksdb::Env* env, std::vector<rocksdb::ColumnFamilyDescriptor> all) {
  std::vector<std::string> there;
  if (rocksdb::DB::ListColumnFamilies(read_only_options(env), database, &there).ok())
    std::erase_if(
        all, [&there](const auto& family) { return std::ranges::find(there, family.name) == there.end(); });
  return all;
}

std::string unknown_family(const std::string& database, rocksdb::Env* env,
                           const std::vector<rocksdb::ColumnFamilyDescriptor>& all) {
  std::vector<std::string> there;
  if (!rocksdb::DB::ListColumnFamilies(read_only_options(env), database, &there).ok()) return {};
  for (const std::string& name : there)
    if (std::ranges::find(all, name, &rocksdb::ColumnFamilyDescriptor::name) == all.end()) return name;
  return {};
}

}  // namespace pqd
